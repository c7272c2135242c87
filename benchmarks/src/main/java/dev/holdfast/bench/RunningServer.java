package dev.holdfast.bench;

import dev.holdfast.testkit.RunningClient;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The server's child process, its ports, and the fleet it prepared.
record RunningServer(
        RunningClient process, Map<String, Integer> ports, List<Meter> meters, List<Load.Newcomer> newcomers)
        implements AutoCloseable {

    static RunningServer read(Path folder, RunningClient process, Map<String, Integer> ports) throws IOException {
        try (InputStream in = Files.newInputStream(folder.resolve("issuer.pem"))) {
            X509Certificate issuer =
                    (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
            List<Meter> meters = new ArrayList<>();
            for (String line : Files.readAllLines(folder.resolve("devices"))) {
                meters.add(Meter.parse(line, issuer));
            }
            List<Load.Newcomer> newcomers = new ArrayList<>();
            for (String line : Files.readAllLines(folder.resolve("tokens"))) {
                newcomers.add(Load.Newcomer.parse(line));
            }
            return new RunningServer(process, ports, meters, newcomers);
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }

    int port(String name) {
        Integer port = ports.get(name);
        if (port == null) {
            throw new IllegalStateException("the server has no listener " + name);
        }
        return port;
    }

    ProcessHandle handle() {
        return process.handle();
    }

    @Override
    public void close() {
        process.close();
    }
}
