package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.testkit.RealClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// `holdfast db` as it stands in docs/operations.md: a backup of a server that runs, its restore elsewhere, which is
/// frozen, and the merge of the journal stream that left the machine, after which nothing that was taken away is back.
class RestoreTest {
    private Path folder;

    @BeforeEach
    void makeFolder() throws Exception {
        folder = Files.createTempDirectory("holdfast-restore");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    }

    @AfterEach
    void removeFolder() {
        RealClient.of("rm", "-rf", folder.toString()).run().succeeded();
    }

    private String sh(String script, String... arguments) {
        String[] all = new String[arguments.length + 3];
        all[0] = "-ec";
        all[1] = script;
        all[2] = "sh";
        System.arraycopy(arguments, 0, all, 3, arguments.length);
        return RealClient.of("sh", all).in(folder).run().succeeded().text().strip();
    }

    private static String last(InstallationProcess.Said names) {
        return names.ended(0).text().strip().lines().findFirst().orElseThrow();
    }

    /// The number of the newest revocation list of the authority that issues to devices.
    private long revocationListNumber(InstallationProcess server, String certificate) {
        String pki = server.said("PKI ").replaceAll(".*(http://\\S+).*", "$1");
        String list = sh(
                "openssl x509 -in \"$1\" -noout -ext crlDistributionPoints | sed -n 's/.*URI:http:..[^/]*//p'",
                certificate);
        String number = sh("curl -sSf \"$1\" | openssl crl -inform DER -noout -crlnumber", pki + list);
        return Long.parseLong(number.replace("crlNumber=", "").replace("0x", ""), 16);
    }

    /// The commands by which the device enrols with a single-use token, in a file.
    private void enrolmentOf(String device, InstallationProcess server) throws Exception {
        String token = server.operator("device", "token", device).ended(0).text();
        Files.writeString(folder.resolve(device + ".sh"), token.substring(token.indexOf("\ncurl") + 1));
    }

    /// Whether the device gets a certificate now, with the token it was given, whichever server that was.
    private boolean enrols(String device, InstallationProcess server) throws Exception {
        String devicePlane = server.said("device HTTPS").replaceAll(".*(https://\\S+).*", "$1");
        String script = Files.readString(folder.resolve(device + ".sh"))
                .replaceAll("https://[^/]+", devicePlane)
                .replaceAll("http://[^/]+", server.url());
        Path place = Files.createDirectories(folder.resolve("place-" + device));
        Files.writeString(place.resolve("enrol.sh"), script);
        return RealClient.of("sh", "-e", "enrol.sh").in(place).run().exit() == 0;
    }

    /// What the device's own interface answers when the device, enrolled in this place, asks for work.
    private String polls(String device, Path place, InstallationProcess server) {
        String devicePlane = server.said("device HTTPS").replaceAll(".*(https://\\S+).*", "$1");
        return sh(
                "cd \"$1\"; curl -sS -o none -w '%{http_code}' --cacert ca.pem --cert device.pem --key device.key"
                        + " \"$2/DEFAULT/controller/v1/$3\"",
                place.toString(), devicePlane, device);
    }

    private void fill(InstallationProcess first) throws Exception {
        Path model = Files.writeString(folder.resolve("model.yaml"), """
                vendor: Example
                hardware: rev-a
                expectedInterval: PT1M
                """);
        first.operator("model", "set", "meter", "--file", model.toString()).ended(0);
        first.operator("device", "add", "m-1", "--model", "meter").ended(0);
        first.operator("device", "add", "m-2", "--model", "meter").ended(0);
        first.operator("device", "add", "m-3", "--model", "meter").ended(0);
        enrolmentOf("m-1", first);
        sh("sh -e m-1.sh");
        sh("openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out release.key;"
                + " openssl pkey -in release.key -pubout -out release.pub; echo image > m.img");
        String key = folder.resolve("release.key").toString();
        String publicKey = folder.resolve("release.pub").toString();
        String image = folder.resolve("m.img").toString();
        String manifest = folder.resolve("m.json").toString();
        first.operator("firmware", "trust", publicKey, "--name", "line 1").ended(0);
        InstallationProcess.captured(java.util.List.of(
                        "firmware",
                        "sign",
                        image,
                        "--model",
                        "meter",
                        "--hardware",
                        "rev-a",
                        "--version",
                        "1.1.0",
                        "--counter",
                        "1",
                        "--key",
                        key,
                        "--public-key",
                        publicKey,
                        "--out",
                        manifest))
                .ended(0);
        String release = last(first.operator(
                "firmware",
                "release",
                image,
                "--model",
                "meter",
                "--version",
                "1.1.0",
                "--manifest",
                manifest,
                "-o",
                "name"));
        Path plan =
                Files.writeString(folder.resolve("plan.yaml"), "batches:\n  - { devices: 1 }\n  - { percent: 100 }\n");
        first.operator("rollout", "create", "--release", release, "--plan", plan.toString(), "--reason", "spring")
                .ended(0);
    }

    @Test
    void whatWasTakenAwayAfterTheBackupIsTakenAwayAgain() throws Exception {
        Path exported = folder.resolve("elsewhere");
        Map<String, String> settings = Map.of("HOLDFAST_JOURNAL_EXPORT", exported.toString());
        String backup = folder.resolve("one.backup").toString();
        String second = folder.resolve("second").toString();
        String firstToken;
        JsonNode script;
        String certificate;
        long listNumber;
        try (InstallationProcess first = InstallationProcess.serve(folder.resolve("first"), settings)) {
            fill(first);
            String data = first.data().toString();
            assertThat(InstallationProcess.run(settings, "serve", "--data", data)
                            .failed()
                            .toString())
                    .contains("is in use by another Holdfast server");
            firstToken = Files.readString(first.data().resolve("secrets/first-token"))
                    .strip();
            ObjectNode wish = ApiClient.object().put("name", "script").put("expiresIn", "PT1H");
            wish.putArray("scopes").add("read");
            script = first.api(firstToken).post("/tokens", wish);
            enrolmentOf("m-2", first);
            enrolmentOf("m-3", first);
            assertThat(enrols("m-3", first)).isTrue();
            assertThat(polls("m-1", folder, first)).isEqualTo("200");
            assertThat(polls("m-3", folder.resolve("place-m-3"), first)).isEqualTo("200");
            assertThat(InstallationProcess.run(settings, "db", "backup", backup, "--data", data)
                            .succeeded()
                            .text())
                    .contains("keep it as you keep those");
            InstallationProcess.run(settings, "db", "verify", backup).succeeded();

            certificate = last(first.operator("cert", "list", "--device", "m-1", "-o", "name"));
            first.api(firstToken).delete("/tokens/" + script.path("id").asText());
            assertThat(enrols("m-2", first)).isTrue();
            first.operator("cert", "revoke", certificate, "--reason", "stolen").ended(0);
            String rollout = last(first.operator("rollout", "list", "-o", "name"));
            first.operator("rollout", "pause", rollout, "--reason", "looks odd").ended(0);
            first.operator("rollout", "stop-all", "--reason", "storm").ended(0);
            first.operator("audit", "verify", "--stream", exported.toString()).ended(0);
            listNumber = revocationListNumber(first, "device.pem");
            first.stop();
        }

        InstallationProcess.run(settings, "db", "restore", backup, "--data", second)
                .succeeded();
        try (InstallationProcess frozen = InstallationProcess.serve(Path.of(second), settings)) {
            assertThat(frozen.operator("db", "freeze").ended(0).text())
                    .contains("Frozen since", "restored from the backup", "2 people must accept the loss");
            assertThat(frozen.operator("doctor").ended(1).text())
                    .contains("no device is let in, nothing issued or offered");
            assertThat(frozen.operator("db", "accept-loss", "--reason", "the stream is gone, we know what is lost")
                            .ended(4)
                            .text())
                    .contains("no person stands behind this token");
            assertThat(polls("m-1", folder, frozen))
                    .as("revoked since, which the backup does not know")
                    .isEqualTo("503");
            assertThat(polls("m-3", folder.resolve("place-m-3"), frozen)).isEqualTo("503");
            assertThat(frozen.operator("cert", "why", "m-1").ended(0).text()).contains("Nobody is let in");
            assertThat(enrols("m-2", frozen)).as("no certificate is issued").isFalse();
            assertThat(frozen.operator("cert", "list", "--device", "m-2", "-o", "name")
                            .text())
                    .doesNotContain("\n0", "\n1");
            String pki = frozen.said("PKI ").replaceAll(".*(http://\\S+).*", "$1");
            assertThat(sh("curl -sS -o none -w '%{http_code}' \"$1/crl/device-development-1.1.crl\"", pki))
                    .as("no list is newer than one that knew of the revocation")
                    .isEqualTo("503");
            assertThat(sh(
                            "curl -sSf -o issuer.pem \"$1/ca/device-development-1.pem\";"
                                    + " openssl ocsp -issuer issuer.pem -cert device.pem -url \"$1/ocsp\" 2>&1 || true",
                            pki))
                    .as("nothing is vouched for")
                    .containsIgnoringCase("trylater");
            frozen.stop();
        }

        InstallationProcess.run(settings, "db", "merge", exported.toString(), "--data", second)
                .succeeded();
        try (InstallationProcess merged = InstallationProcess.serve(Path.of(second), settings)) {
            assertThat(merged.operator("db", "freeze").ended(0).text()).isEqualTo("Not frozen.\n");
            assertThat(merged.operator("cert", "show", certificate).ended(0).text())
                    .contains("revoked");
            assertThat(polls("m-1", folder, merged)).isEqualTo("403");
            assertThat(polls("m-3", folder.resolve("place-m-3"), merged)).isEqualTo("200");
            assertThat(enrols("m-2", merged)).as("a token is good once").isFalse();
            ApiClient revoked = merged.api(script.path("secret").asText());
            assertThatThrownBy(() -> revoked.get("/server")).isInstanceOf(ApiException.class);
            assertThat(merged.operator("rollout", "list").ended(0).text()).contains("paused");
            assertThat(merged.operator("audit", "log", "--kind", "rollout.")
                            .ended(0)
                            .text())
                    .contains("again after a restore: looks odd", "again after a restore: storm");
            assertThat(revocationListNumber(merged, "device.pem")).isGreaterThan(listNumber);
            assertThat(merged.operator("audit", "verify", "--stream", exported.toString())
                            .ended(0)
                            .text())
                    .contains("the journal was then put back to entry");
            merged.stop();
        }
    }
}
