package dev.holdfast.attestation;

import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.RunningClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Map;

/// A software TPM with endorsement certificates under a maker's CA of its own, behind a resource manager as
/// /dev/tpmrm0 is, on ports and a bus of its own.
final class Swtpm implements AutoCloseable {
    private final Path folder;
    private final RunningClient tpm;
    private final RunningClient bus;
    private final RunningClient manager;

    private Swtpm(Path folder, RunningClient tpm, RunningClient bus, RunningClient manager) {
        this.folder = folder;
        this.tpm = tpm;
        this.bus = bus;
        this.manager = manager;
    }

    /// Made in the factory, and switched on.
    static Swtpm start(Path folder) {
        try {
            Path state = Files.createDirectories(folder.resolve("state"));
            Path maker = Files.createDirectories(folder.resolve("maker"));
            Path authority = Files.writeString(
                    folder.resolve("localca.conf"),
                    "statedir = %1$s%nsigningkey = %1$s/signkey.pem%nissuercert = %1$s/issuercert.pem%ncertserial = %1$s/serial%n"
                            .formatted(maker));
            Path options = Files.writeString(
                    folder.resolve("localca.options"),
                    "--platform-manufacturer Test%n--platform-version 1%n--platform-model Test%n".formatted());
            Path setup = Files.writeString(
                    folder.resolve("setup.conf"),
                    "create_certs_tool = %s%ncreate_certs_tool_config = %s%ncreate_certs_tool_options = %s%n"
                            .formatted(RealClient.locate("swtpm_localca"), authority, options));
            RealClient.of(
                            "swtpm_setup",
                            "--tpm2",
                            "--tpm-state",
                            state.toString(),
                            "--create-ek-cert",
                            "--config",
                            setup.toString(),
                            "--pcr-banks",
                            "sha256")
                    .timeout(Duration.ofMinutes(2))
                    .run()
                    .succeeded();
            return on(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Switched on; its control port is its server port + 1, because the tools expect that.
    private static Swtpm on(Path folder) throws IOException {
        int port = freePair();
        RunningClient tpm = RealClient.of(
                        "swtpm",
                        "socket",
                        "--tpm2",
                        "--tpmstate",
                        "dir=" + folder.resolve("state"),
                        "--server",
                        "type=tcp,port=" + port,
                        "--ctrl",
                        "type=tcp,port=" + (port + 1),
                        "--flags",
                        "not-need-init,startup-clear")
                .keepInputOpen()
                .start();
        RunningClient bus = RealClient.of(
                        "dbus-daemon", "--session", "--nofork", "--print-address", "--address=" + address(folder))
                .keepInputOpen()
                .start();
        bus.awaitLine(line -> line.startsWith("unix:"), Duration.ofSeconds(30));
        RunningClient manager = RealClient.of(
                        "tpm2-abrmd", "--session", "--allow-root", "--flush-all", "--tcti=swtpm:port=" + port)
                .with("DBUS_SESSION_BUS_ADDRESS", address(folder))
                .keepInputOpen()
                .start();
        Swtpm whole = new Swtpm(folder, tpm, bus, manager);
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (whole.tool("tpm2_getcap", "properties-fixed").exit() != 0) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("the software TPM does not answer");
            }
        }
        return whole;
    }

    private static String address(Path folder) {
        return "unix:path=" + folder.resolve("bus");
    }

    private static int freePair() throws IOException {
        for (int i = 0; i < 100; i++) {
            try (ServerSocket one = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                if (one.getLocalPort() < 65_535) {
                    try (ServerSocket two =
                            new ServerSocket(one.getLocalPort() + 1, 1, InetAddress.getLoopbackAddress())) {
                        return two.getLocalPort() - 1;
                    } catch (IOException taken) {
                        // try the next pair
                    }
                }
            }
        }
        throw new IOException("no two free ports beside each other");
    }

    /// How tools reach it.
    Map<String, String> settings() {
        return Map.of("TPM2TOOLS_TCTI", "tabrmd:bus_type=session", "DBUS_SESSION_BUS_ADDRESS", address(folder));
    }

    RealClient.Result tool(String program, String... arguments) {
        return RealClient.of(program, arguments).in(folder).with(settings()).run();
    }

    /// The certificate under which its endorsement certificates are.
    X509Certificate maker() throws Exception {
        return Certificates.parsePem(Files.readString(folder.resolve("maker/issuercert.pem")))
                .getFirst();
    }

    @Override
    public void close() {
        manager.close();
        bus.close();
        tpm.close();
    }
}
