package dev.holdfast.updates;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.TestServer;
import dev.holdfast.core.Json;
import dev.holdfast.firmware.Release;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.mqtt.EnrolledDevice;
import dev.holdfast.rollout.MemberState;
import dev.holdfast.testkit.RealClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// The DDI API as curl sees it, over mutual TLS.
class DdiWithCurlTest {
    private static final int SIZE = 200_000;
    /// Without isolation, or a device that misbehaves as these tests do would soon be quarantined.
    private final TestServer server = TestServer.start(Map.of("HOLDFAST_SWITCHES_AUTOMATIC_ISOLATION", "false"));

    @AfterEach
    void stop() {
        server.close();
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Answer(int status, byte[] body, String headers) {
        JsonNode json() throws Exception {
            return Json.tree(new String(body, StandardCharsets.UTF_8));
        }
    }

    private Answer curl(Optional<EnrolledDevice> as, String path, String... more) throws Exception {
        Path body = Files.createTempFile(server.folder(), "body", "");
        Path headers = Files.createTempFile(server.folder(), "headers", "");
        List<String> all = new ArrayList<>(List.of(
                "-sS",
                "--cacert",
                server.rootPem().toString(),
                "-o",
                body.toString(),
                "-D",
                headers.toString(),
                "-w",
                "%{http_code}"));
        as.ifPresent(device -> all.addAll(List.of(
                "--cert",
                device.certificateFile().toString(),
                "--key",
                device.keyFile().toString())));
        all.addAll(Arrays.asList(more));
        all.add(
                path.startsWith("https:")
                        ? path
                        : "https://localhost:" + server.server().devicePort() + path);
        String status = RealClient.of("curl", all.toArray(String[]::new))
                .run()
                .succeeded()
                .text();
        return new Answer(Integer.parseInt(status.strip()), Files.readAllBytes(body), Files.readString(headers));
    }

    private Answer curl(EnrolledDevice as, String path, String... more) throws Exception {
        return curl(Optional.of(as), path, more);
    }

    private static String base(String id) {
        return "/DEFAULT/controller/v1/" + id;
    }

    private static String[] post(String json) {
        return new String[] {"-H", "content-type: application/json", "--data-binary", json};
    }

    private static String status(String execution, String finished) {
        return "{\"id\":\"1\",\"status\":{\"execution\":\"" + execution + "\",\"result\":{\"finished\":\"" + finished
                + "\"},\"details\":[\"said by curl\"]}}";
    }

    @Test
    void pollsFetchesInPartsReportsAndIsTakenAtItsWord() throws Exception {
        EnrolledDevice device = EnrolledDevice.of(server, "m-1");
        Release release = LiveRelease.ofManifest(server.server(), "1.1", SIZE);
        long rollout = LiveRelease.rollout(server.server(), release, Optional.empty(), 10);

        JsonNode poll = curl(device, base("m-1"), "-H", "Host: evil.example").json();
        assertThat(poll.path("config").path("polling").path("sleep").asText()).matches("00:00:\\d\\d");
        String deployment =
                poll.path("_links").path("deploymentBase").path("href").asText();
        assertThat(deployment).startsWith("https://localhost:" + server.server().devicePort() + "/DEFAULT/");
        assertThat(poll.path("_links").path("configData").path("href").asText()).endsWith("/configData");
        assertThat(curl(device, "/development/controller/v1/m-1").status())
                .as("the environment as tenant")
                .isEqualTo(200);

        JsonNode artifacts = curl(device, deployment)
                .json()
                .path("deployment")
                .path("chunks")
                .path(0)
                .path("artifacts");
        assertThat(artifacts).hasSize(2);
        assertThat(artifacts.path(0).path("filename").asText()).isEqualTo("1.1.manifest.json");
        String image =
                artifacts.path(1).path("_links").path("download").path("href").asText();
        Path file =
                server.server().firmware().file(release.artifacts().getLast()).orElseThrow();
        byte[] expected = Files.readAllBytes(file);
        TestServer.await("a lease", () -> leased(device, image));

        Answer first = curl(device, image, "-H", "Range: bytes=0-99999");
        assertThat(first.status()).isEqualTo(206);
        assertThat(first.headers()).containsIgnoringCase("content-range: bytes 0-99999/200000");
        assertThat(first.body()).isEqualTo(Arrays.copyOf(expected, 100_000));
        assertThat(server.server().rollouts().get(rollout).orElseThrow().exposed())
                .as("half is no exposure")
                .isZero();
        Answer suffix = curl(device, image, "-H", "Range: bytes=-1");
        assertThat(suffix.body()).isEqualTo(new byte[] {expected[SIZE - 1]});
        assertThat(server.server().rollouts().get(rollout).orElseThrow().exposed())
                .isEqualTo(1);
        assertThat(curl(device, image, "-H", "Range: bytes=200000-").status()).isEqualTo(416);
        assertThat(curl(device, image, "-H", "Range: bytes=0-1,5-6").status())
                .as("several: may be ignored")
                .isEqualTo(200);
        assertThat(curl(device, image, "-H", "Range: bytes=0-9", "-H", "If-Range: \"other\"")
                        .body())
                .hasSize(SIZE);
        Answer whole = curl(device, image);
        assertThat(whole.body()).isEqualTo(expected);
        assertThat(curl(device, image, "-I").headers()).containsIgnoringCase("content-length: 200000");

        String action = deployment.replaceAll("\\?.*", "");
        assertThat(curl(device, action + "/feedback", post(status("proceeding", "none")))
                        .status())
                .isEqualTo(200);
        assertThat(curl(device, action + "/feedback", post(status("closed", "success")))
                        .status())
                .isEqualTo(200);
        assertThat(curl(device, base("m-1")).json().path("_links").has("deploymentBase"))
                .isFalse();
        assertThat(curl(
                                device,
                                base("m-1") + "/configData",
                                "-X",
                                "PUT",
                                "-H",
                                "content-type: application/json",
                                "--data-binary",
                                "{\"mode\":\"merge\",\"data\":{\"firmware\":\"1.1\",\"vendor\":\"x\"}}")
                        .status())
                .isEqualTo(200);
        assertThat(server.server()
                        .inventory()
                        .find(device.ref())
                        .orElseThrow()
                        .firmware()
                        .orElseThrow()
                        .value())
                .isEqualTo("1.1");
        TestServer.await(
                "healthy",
                () -> server.server()
                                .rollouts()
                                .devices(rollout, Optional.empty(), Optional.of(MemberState.HEALTHY), "", 1)
                                .size()
                        == 1);
        TestServer.await(
                "bytes are counted",
                () -> server.server().rollouts().get(rollout).orElseThrow().bytesServed() >= 3L * SIZE);
    }

    private boolean leased(EnrolledDevice device, String image) {
        try {
            return RealClient.of(
                                    "curl",
                                    "-sS",
                                    "--cacert",
                                    server.rootPem().toString(),
                                    "--cert",
                                    device.certificateFile().toString(),
                                    "--key",
                                    device.keyFile().toString(),
                                    "-H",
                                    "Range: bytes=0-0",
                                    "-o",
                                    "/dev/null",
                                    image)
                            .run()
                            .exit()
                    == 0;
        } catch (RuntimeException e) {
            return false;
        }
    }

    @Test
    void onlyTheCertificateSaysWhoItIs() throws Exception {
        EnrolledDevice one = EnrolledDevice.of(server, "m-1");
        EnrolledDevice other = EnrolledDevice.of(server, "m-2");
        assertThat(curl(one, base("m-1")).status()).isEqualTo(200);
        assertThat(curl(one, base("m-2")).status()).isEqualTo(403);
        assertThat(curl(one, "/production/controller/v1/m-1").status()).isEqualTo(403);
        assertThat(curl(one, "/NOT%20ONE/controller/v1/m-1").status()).isEqualTo(403);
        assertThat(curl(Optional.empty(), base("m-1")).status()).isEqualTo(401);
        for (String header : List.of(
                "X-Ssl-Client-Cn: m-1",
                "X-Ssl-Issuer-Hash-1: 00",
                "X-Forwarded-For: 10.0.0.1",
                "Authorization: TargetToken abc",
                "Authorization: GatewayToken abc",
                "Forwarded: for=10.0.0.1")) {
            Answer answer = curl(one, base("m-1"), "-H", header);
            assertThat(answer.status()).as(header).isEqualTo(400);
            assertThat(answer.json().path("type").asText()).endsWith("forwarded-identity-refused");
        }
        LiveRelease.rollout(
                server.server(), LiveRelease.ofManifest(server.server(), "1.1", 1_000), Optional.empty(), 10);
        String mine = curl(one, base("m-1"))
                .json()
                .path("_links")
                .path("deploymentBase")
                .path("href")
                .asText()
                .replaceAll("\\?.*", "")
                .replaceAll(".*/", "");
        assertThat(curl(other, base("m-2") + "/deploymentBase/" + mine).status())
                .isEqualTo(404);
        assertThat(curl(other, base("m-2") + "/deploymentBase/" + mine + "/feedback", post(status("closed", "failure")))
                        .status())
                .isEqualTo(404);
        assertThat(curl(other, base("m-2") + "/cancelAction/" + mine + "/feedback", post(status("closed", "success")))
                        .status())
                .isEqualTo(404);
        server.server()
                .inventory()
                .transition(one.ref(), Lifecycle.SUSPENDED, "in doubt", Optional.empty(), TestServer.TESTER);
        TestServer.await(
                "suspended",
                () -> server.server()
                                .inventory()
                                .directory()
                                .find(one.ref())
                                .orElseThrow()
                                .state()
                        == Lifecycle.SUSPENDED);
        assertThat(curl(one, base("m-1")).status()).isEqualTo(403);
    }

    @Test
    void badInputIsRefusedAndNothingIsLost() throws Exception {
        EnrolledDevice device = EnrolledDevice.of(server, "m-1");
        LiveRelease.rollout(
                server.server(), LiveRelease.ofManifest(server.server(), "1.1", 1_000), Optional.empty(), 10);
        String action = curl(device, base("m-1"))
                .json()
                .path("_links")
                .path("deploymentBase")
                .path("href")
                .asText()
                .replaceAll("\\?.*", "");
        for (String bad : List.of("", "{", "[]", "null", "{\"status\":7}", "[".repeat(50_000))) {
            assertThat(curl(device, action + "/feedback", post(bad)).status()).isEqualTo(400);
            assertThat(curl(device, base("m-1") + "/configData", post(bad)).status())
                    .isEqualTo(400);
        }
        Path huge = server.folder().resolve("huge");
        Files.writeString(huge, "{\"status\":{\"details\":\"" + "x".repeat(1_000_000) + "\"}}");
        assertThat(curl(device, action + "/feedback", post("@" + huge)).status())
                .isEqualTo(413);
        for (String path : List.of(
                "/deploymentBase/abc",
                "/deploymentBase/-1",
                "/deploymentBase/99999999999999999999999",
                "/cancelAction/0",
                "/softwaremodules/x/artifacts/y",
                "/softwaremodules/1/artifacts/..%2f..%2fsecrets",
                "/nothing/here")) {
            assertThat(curl(device, base("m-1") + path, "--path-as-is").status())
                    .as(path)
                    .isEqualTo(404);
        }
        assertThat(curl(device, action).status()).as("the action is as it was").isEqualTo(200);
    }
}
