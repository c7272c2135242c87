package dev.holdfast.revocation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.ca.Authority;
import dev.holdfast.ca.ListName;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.mqtt.EnrolledDevice;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.rollover.Rollover;
import dev.holdfast.rollover.Rollovers;
import dev.holdfast.rollover.Step;
import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.Recipe;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// After the theft of an issuer's key, as openssl sees it: nothing that the issuer signed is good any more, also
/// what only the thief knows of, and the issuer itself stands in its root's list.
class DistrustedIssuerTest {
    private static final int PER_HOUR = 3_600_000;

    private TestServer server;

    @TempDir
    private Path folder;

    @BeforeEach
    void start() {
        server = TestServer.start();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Rollovers rollovers() {
        return server.server().rollover().rollovers();
    }

    private static Rollover done(Step step) {
        assertThat(step).isInstanceOf(Step.Done.class);
        return ((Step.Done) step).rollover();
    }

    private Authority authority(String id) {
        return server.server().ca().authorities().find(id).orElseThrow();
    }

    private Path pem(String name, X509Certificate certificate) throws Exception {
        return Files.writeString(folder.resolve(name), Certificates.pem(certificate));
    }

    /// Blocks of the recipe, for this device.
    private String said(EnrolledDevice device, String... blocks) throws Exception {
        pem("device.pem", device.chain().getFirst());
        String commands = Recipe.read(
                        Path.of(System.getProperty("holdfast.root", "..")).resolve("docs/recipes/check-revocation.md"))
                .only(blocks)
                .blocks()
                .stream()
                .map(Recipe.Block::commands)
                .reduce("set -eu\n", String::concat);
        RealClient.Result result = RealClient.of("bash", "-c", commands)
                .in(folder)
                .with(Map.of("CERT", "device.pem", "ROOT", server.rootPem().toString()))
                .run();
        return result.text() + result.errors();
    }

    /// What OCSP says of a serial of this issuer, to openssl, which checks who signed it.
    private String ocsp(Authority issuer, Path root, String... which) throws Exception {
        Path above = pem("above.pem", issuer.certificate());
        List<String> arguments = new ArrayList<>(List.of("ocsp", "-issuer", above.toString()));
        arguments.addAll(List.of(which));
        arguments.addAll(List.of(
                "-url",
                "http://localhost:" + server.server().pkiPort() + "/ocsp",
                "-CAfile",
                root.toString(),
                "-verify_other",
                above.toString()));
        RealClient.Result result =
                RealClient.of("openssl", arguments.toArray(String[]::new)).run();
        assertThat(result.errors()).contains("Response verify OK");
        return result.text();
    }

    private interface Asking {
        String ask() throws Exception;
    }

    private static void await(String what, Asking asking, String wanted) {
        TestServer.await(what, () -> {
            try {
                return asking.ask().contains(wanted);
            } catch (AssertionError notYet) {
                return false;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    private X509CRL list(Authority authority) throws Exception {
        ListName name = new ListName(authority.id(), 0, false);
        try (InputStream in = URI.create("http://localhost:" + server.server().pkiPort() + "/crl/" + name.file())
                .toURL()
                .openStream()) {
            return (X509CRL) CertificateFactory.getInstance("X.509").generateCRL(in);
        }
    }

    private Rollover emergency() {
        Rollover emergency = done(rollovers()
                .startEmergency(
                        TestServer.ENVIRONMENT,
                        true,
                        Duration.ofDays(1),
                        PER_HOUR,
                        "the key was seen",
                        TestServer.TESTER));
        return done(rollovers().finishLeavingBehind(emergency.id(), "operator:one", "now", TestServer.TESTER));
    }

    @Test
    void nothingThatAStolenIssuerSignedIsGoodAndNeitherIsTheIssuer() throws Exception {
        EnrolledDevice left = EnrolledDevice.of(server, "left-1");
        EnrolledDevice lost = EnrolledDevice.of(server, "lost-1");
        server.server().identity().revoke(lost.serial(), RevocationReason.KEY_COMPROMISE, "stolen", TestServer.TESTER);
        assertThat(said(left, "settings", "issuer", "lists", "check")).contains("device.pem: OK");
        Path oldList = Files.copy(folder.resolve("part.crl"), folder.resolve("old-part.crl"));

        Rollover emergency = emergency();
        Authority stolen = authority(emergency.oldAuthority());
        Path root = server.rootPem();
        String bySerial = "0x" + left.chain().getFirst().getSerialNumber().toString(16);

        assertThat(said(left, "settings", "ocsp")).contains("Cert Status: revoked", "cACompromise");
        assertThat(said(lost, "settings", "ocsp")).contains("Cert Status: revoked", "keyCompromise");
        assertThat(ocsp(stolen, root, "-serial", bySerial)).contains("revoked", "cACompromise");
        assertThat(ocsp(stolen, root, "-serial", "0x1234567890abcdef1234567890abcdef"))
                .as("what the thief has issued")
                .contains(": revoked")
                .contains("cACompromise");

        assertThat(said(left, "settings", "lists", "check")).contains("certificate revoked");
        RealClient.Result leafAlone = RealClient.of(
                        "openssl",
                        "verify",
                        "-crl_check",
                        "-extended_crl",
                        "-CAfile",
                        root.toString(),
                        "-untrusted",
                        "issuer.pem",
                        "-CRLfile",
                        "part.crl",
                        "device.pem")
                .in(folder)
                .run();
        assertThat(leafAlone.text() + leafAlone.errors()).contains("certificate revoked");
        RealClient.Result issuerAlone = RealClient.of(
                        "openssl",
                        "verify",
                        "-crl_check",
                        "-CAfile",
                        root.toString(),
                        "-CRLfile",
                        "root.crl",
                        "issuer.pem")
                .in(folder)
                .run();
        assertThat(issuerAlone.text() + issuerAlone.errors()).contains("certificate revoked");
        // Who still has yesterday's list hears of it by the delta.
        Files.copy(oldList, folder.resolve("part.crl"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        RealClient.Result byDelta = RealClient.of(
                        "bash",
                        "-c",
                        "curl -sS --fail \"$(openssl crl -in part.crl -inform DER -noout -text | grep -o"
                                + " 'http://.*[.]delta[.]crl')\" -o delta.crl\nopenssl verify -crl_check -extended_crl"
                                + " -use_deltas -CAfile \"$ROOT\" -untrusted issuer.pem -CRLfile part.crl -CRLfile"
                                + " delta.crl device.pem")
                .in(folder)
                .with(Map.of("ROOT", root.toString()))
                .run();
        assertThat(byDelta.text() + byDelta.errors()).contains("certificate revoked");

        Authority top = server.server().ca().authorities().root();
        assertThat(ocsp(
                        top,
                        root,
                        "-cert",
                        pem("stolen.pem", stolen.certificate()).toString()))
                .contains("stolen.pem: revoked", "cACompromise");
        assertThat(list(stolen).getRevokedCertificates()).hasSize(2 + 1); // and the responder's own
        assertThat(list(top)
                        .getRevokedCertificate(stolen.certificate().getSerialNumber())
                        .getRevocationReason())
                .isEqualTo(java.security.cert.CRLReason.CA_COMPROMISE);
        assertThat(rollovers().toTakeBack(emergency))
                .as("the root's key is here")
                .isEmpty();

        EnrolledDevice fresh = EnrolledDevice.of(server, "fresh-1");
        assertThat(said(fresh, "settings", "issuer", "lists", "check")).contains("device.pem: OK");
        await("the new issuer has a responder", () -> said(fresh, "settings", "ocsp"), "Cert Status: good");
        Authority next = authority(emergency.newAuthority());
        assertThat(ocsp(top, root, "-cert", pem("next.pem", next.certificate()).toString()))
                .contains("next.pem: good");
        assertThat(ocsp(next, root, "-serial", bySerial)).contains(": unknown");
    }

    @Test
    void whatANewRootSignedForTheOldOneIsTakenBackWhenTheOldOneGoes() throws Exception {
        Authority old = server.server().ca().authorities().root();
        Rollover ready = done(rollovers().startRoot(PER_HOUR, "twenty years", TestServer.TESTER));
        Authority next = authority(ready.newAuthority());
        X509Certificate oldWithNew = server.server().ca().authorities().published().stream()
                .filter(c -> c.getPublicKey().equals(old.certificate().getPublicKey()) && !c.equals(old.certificate()))
                .findFirst()
                .orElseThrow();
        Path root = pem("next.pem", next.certificate());
        Path cross = pem("old-with-new.pem", oldWithNew);
        await(
                "the new root has a responder",
                () -> ocsp(next, root, "-cert", cross.toString()),
                "old-with-new.pem: good");
        assertThat(list(next).getRevokedCertificates()).isNull();

        done(rollovers().move(ready.id(), false, "nobody is there", TestServer.TESTER));
        done(rollovers().finish(ready.id(), "nobody is there", TestServer.TESTER));
        assertThat(ocsp(next, root, "-cert", cross.toString()))
                .contains("old-with-new.pem: revoked")
                .contains("superseded");
        Files.write(folder.resolve("next.crl"), list(next).getEncoded());
        RealClient.Result verified = RealClient.of(
                        "openssl",
                        "verify",
                        "-crl_check",
                        "-CAfile",
                        root.toString(),
                        "-CRLfile",
                        "next.crl",
                        cross.toString())
                .in(folder)
                .run();
        assertThat(verified.text() + verified.errors()).contains("certificate revoked");
    }
}
