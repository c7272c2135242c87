package dev.holdfast.bench;

import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.RunningClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/// Programs of others, measured in the same run by the same clients: what our figures are held against.
final class Yardstick implements AutoCloseable {
    private final RunningClient process;
    private final int port;

    private Yardstick(RunningClient process, int port) {
        this.process = process;
        this.port = port;
    }

    int port() {
        return port;
    }

    ProcessHandle process() {
        return process.handle();
    }

    /// nginx with mutual TLS 1.3, the fleet's own CAs, no session cache, and one small static file.
    static Yardstick nginx(Path fleet, Path work, String path) throws IOException {
        int port = ServerProcess.freePort();
        prepare(fleet, work);
        Path file = Path.of(work + "/html" + path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, "{\"config\":{\"polling\":{\"sleep\":\"00:05:00\"}},\"_links\":{}}");
        open(work.resolve("html"));
        Path conf = work.resolve("nginx.conf");
        Files.writeString(conf, """
                daemon off;
                worker_processes 2;
                pid %1$s/nginx.pid;
                error_log %1$s/error.log;
                events { worker_connections 9000; }
                http {
                  access_log off;
                  client_body_temp_path %1$s/body; proxy_temp_path %1$s/proxy; fastcgi_temp_path %1$s/fcgi;
                  uwsgi_temp_path %1$s/uwsgi; scgi_temp_path %1$s/scgi;
                  keepalive_requests 1000000;
                  server {
                    listen 127.0.0.1:%2$d ssl;
                    root %1$s/html;
                    ssl_certificate %1$s/server.pem; ssl_certificate_key %1$s/server.key;
                    ssl_client_certificate %1$s/cas.pem; ssl_verify_client on; ssl_verify_depth 3;
                    ssl_protocols TLSv1.3; ssl_session_cache off; ssl_session_tickets off;
                  }
                }
                """.formatted(work, port));
        return ready(
                RealClient.of("nginx", "-p", work.toString(), "-e", work + "/error.log", "-c", conf.toString())
                        .start(),
                port);
    }

    /// mosquitto with mutual TLS, the fleet's own CAs, nothing kept on disk.
    static Yardstick mosquitto(Path fleet, Path work) throws IOException {
        int port = ServerProcess.freePort();
        prepare(fleet, work);
        Path conf = work.resolve("mosquitto.conf");
        Files.writeString(conf, """
                listener %2$d 127.0.0.1
                allow_anonymous true
                cafile %1$s/cas.pem
                certfile %1$s/server.pem
                keyfile %1$s/server.key
                require_certificate true
                tls_version tlsv1.3
                persistence false
                log_dest none
                user root
                """.formatted(work, port));
        return ready(RealClient.of("mosquitto", "-c", conf.toString()).start(), port);
    }

    private static void prepare(Path fleet, Path work) throws IOException {
        Files.createDirectories(work);
        open(work);
        selfSigned(work, "server");
        Files.writeString(
                work.resolve("cas.pem"),
                Files.readString(fleet.resolve("issuer.pem")) + Files.readString(fleet.resolve("root.pem")));
    }

    private static void selfSigned(Path work, String name) throws IOException {
        openSsl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days 2"
                        + " -keyout " + work + "/" + name + ".key -out " + work + "/" + name + ".pem")
                .run()
                .succeeded();
        Files.setPosixFilePermissions(work.resolve(name + ".key"), PosixFilePermissions.fromString("rw-r--r--"));
    }

    private static RealClient openSsl(String arguments) {
        return RealClient.of("openssl", arguments.split(" ", -1));
    }

    private static void open(Path folder) throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static Yardstick ready(RunningClient process, int port) {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (true) {
            try (Socket probe = new Socket()) {
                probe.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1_000);
                return new Yardstick(process, port);
            } catch (IOException starting) {
                if (!process.isAlive() || System.nanoTime() - deadline > 0) {
                    process.close();
                    throw new IllegalStateException("it does not start: " + process.lines(), starting);
                }
                java.util.concurrent.locks.LockSupport.parkNanos(50_000_000);
            }
        }
    }

    /// OpenSSL's own responder, with as many certificates as were asked for, all good: serials 1 to `certificates`.
    ///
    /// @param work gets `ca.pem`, whose certificates it answers for
    static Yardstick openSslOcsp(Path work, int certificates) throws IOException {
        int port = ServerProcess.freePort();
        Files.createDirectories(work);
        selfSigned(work, "ca");
        StringBuilder index = new StringBuilder();
        for (int serial = 1; serial <= certificates; serial++) {
            String hex = Integer.toHexString(serial).toUpperCase(java.util.Locale.ROOT);
            index.append("V\t350101000000Z\t\t")
                    .append(hex.length() % 2 == 0 ? hex : "0" + hex)
                    .append("\tunknown\t/CN=m")
                    .append(serial)
                    .append('\n');
        }
        Files.writeString(work.resolve("index.txt"), index);
        RunningClient process = openSsl("ocsp -ignore_err -port " + port + " -index " + work + "/index.txt -CA " + work
                        + "/ca.pem -rsigner " + work + "/ca.pem -rkey " + work + "/ca.key")
                .start();
        // Not by a trial connection: one that asks nothing hangs this responder for good.
        process.awaitLine(line -> line.contains("waiting for OCSP client"), Duration.ofSeconds(20));
        return new Yardstick(process, port);
    }

    /// Microseconds of one core for each primitive, by `openssl speed`, which counts CPU and not the clock.
    static Map<String, Double> crypto(int seconds) {
        String text = openSsl("speed -seconds " + seconds + " ecdsap256 ecdhx25519")
                .timeout(Duration.ofMinutes(1))
                .run()
                .succeeded()
                .text();
        Map<String, Double> micros = new HashMap<>();
        for (String line : text.lines().toList()) {
            String[] words = line.strip().split("\\s+", -1);
            if (line.contains("ecdsa (nistp256)")) {
                micros.put("sign", 1e6 / Double.parseDouble(words[words.length - 2]));
                micros.put("verify", 1e6 / Double.parseDouble(words[words.length - 1]));
            } else if (line.contains("ecdh (X25519)")) {
                micros.put("agree", 1e6 / Double.parseDouble(words[words.length - 1]));
            }
        }
        return micros;
    }

    @Override
    public void close() {
        process.close();
    }
}
