package dev.holdfast.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.testkit.RealClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Why a device does not come in is the answer of the whole installation: it failed on one node, another is asked.
class DiagnosisNodesTest {
    private static final Map<String, String> SETTINGS = Map.of("HOLDFAST_ACCESS_FIRST_TOKEN", "true");

    private static List<String> causes(RunningServer api, String device) {
        List<String> causes = new ArrayList<>();
        RunningServer.Answer answer = api.get("/devices/" + device + "/connection-diagnosis");
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        answer.json()
                .path("reasons")
                .forEach(reason -> causes.add(reason.path("cause").asText()));
        return causes;
    }

    private static void showStrangersCertificate(TestServer node, String device) {
        RealClient.of(
                        "bash",
                        "-c",
                        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout s.key -out s.pem"
                                + " -days 2 -subj /CN=" + device + " -addext basicConstraints=critical,CA:FALSE"
                                + " 2>/dev/null; echo | openssl s_client -connect localhost:"
                                + node.server().devicePort() + " -cert s.pem -key s.key -quiet")
                .in(node.folder())
                .run();
    }

    @Test
    void aFailureOnOneNodeIsToldByAnotherAndAfterBothStartedAgain() throws Exception {
        TestServer first = TestServer.start(SETTINGS);
        first.register("m-1");
        try (TestServer second = first.secondNode(SETTINGS)) {
            Path token = second.folder().resolve("data/secrets/first-token");
            Files.deleteIfExists(token);
            Files.copy(first.folder().resolve("data/secrets/first-token"), token);
            RunningServer asked = RunningServer.over(first);
            showStrangersCertificate(second, "m-1");
            TestServer.await("the other node tells", () -> causes(asked, "m-1").contains("ISSUER_UNKNOWN"));
            assertThat(causes(RunningServer.over(second), "m-1")).contains("ISSUER_UNKNOWN");
            RunningServer.Answer failures = asked.get("/connection-failures?address=127.0.0.1");
            assertThat(failures.json().at("/failures/0/device").asText()).isEqualTo("m-1");
            assertThat(asked.get("/connection-failures?address=192.0.2.9")
                            .json()
                            .path("failures"))
                    .isEmpty();
        }
        first.server().close();
        try (TestServer again = TestServer.start(first.folder(), first.database(), SETTINGS, InstantSource.system())) {
            assertThat(causes(RunningServer.over(again), "m-1")).contains("ISSUER_UNKNOWN");
        }
    }
}
