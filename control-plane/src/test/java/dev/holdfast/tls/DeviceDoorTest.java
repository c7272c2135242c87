package dev.holdfast.tls;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The device plane's TLS, by `openssl s_client` and `curl`.
class DeviceDoorTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(new java.io.File("/dev/null"))
                .start();
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        return output;
    }

    @Test
    void opensslVerifiesOurChainToTheRootWithTls13AndTls12() throws Exception {
        for (String version : new String[] {"-tls1_3", "-tls1_2"}) {
            String output = run(
                    "openssl",
                    "s_client",
                    "-connect",
                    "localhost:" + server.server().devicePort(),
                    version,
                    "-CAfile",
                    server.rootPem().toString(),
                    "-verify_return_error",
                    "-verify_hostname",
                    "localhost");
            assertThat(output).contains("Verify return code: 0 (ok)");
        }
    }

    @Test
    void refusesTls11() throws Exception {
        String output = run(
                "openssl",
                "s_client",
                "-connect",
                "localhost:" + server.server().devicePort(),
                "-tls1_1",
                "-cipher",
                "DEFAULT@SECLEVEL=0");
        assertThat(output).contains("Cipher is (NONE)").contains("alert protocol version");
    }
}
