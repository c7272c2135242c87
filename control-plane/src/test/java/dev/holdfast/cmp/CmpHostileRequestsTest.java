package dev.holdfast.cmp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.HostileRequests;
import dev.holdfast.HostileRequests.Hostile;
import dev.holdfast.TestServer;
import dev.holdfast.core.Environment;
import dev.holdfast.identity.SharedSecrets;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.cmp.CmpFailure;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.cmp.PKIBody;
import org.bouncycastle.asn1.cmp.PKIMessage;
import org.bouncycastle.asn1.crmf.OptionalValidity;
import org.bouncycastle.asn1.pkcs.CertificationRequest;
import org.bouncycastle.asn1.x509.Time;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What is refused at EST's door is refused at CMP's: each request comes in a p10cr, and the answer's
/// PKIFailureInfo is the one for what is wrong. (A request that is no DER can't be in a message that is:
/// `CmpRefusalsTest.trailingOctetsAndWhatIsNoMessageAndTooMuchOfIt`.)
class CmpHostileRequestsTest {
    private static TestServer server;
    private static int devices;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static HostileRequests requests(String device) {
        return new HostileRequests(device, Crypto.generateP256(CmpCaller.RANDOM), Optional.empty());
    }

    static List<String> names() throws Exception {
        return requests("any").all().stream()
                .filter(Hostile::der)
                .map(Hostile::name)
                .toList();
    }

    private static PKIMessage asked(String device, byte[] request) {
        SharedSecrets.Issued.Secret secret = CmpCaller.secret(server, server.register(device));
        return CmpCaller.withSecret(server, secret.id(), secret.secret(), CmpCaller.pbmac1(1_000))
                .send(new PKIBody(PKIBody.TYPE_P10_CERT_REQ, CertificationRequest.getInstance(request)));
    }

    @ParameterizedTest(name = "refuses {0}")
    @MethodSource("names")
    void refuses(String name) throws Exception {
        String device = "hostile-" + ++devices;
        Hostile hostile = requests(device).all().stream()
                .filter(one -> one.name().equals(name))
                .findFirst()
                .orElseThrow();
        CmpCaller.refused(asked(device, hostile.request()), Refusals.failure(hostile.reason()), "");
        assertThat(server.server().identity().certificates(TestServer.device(device)))
                .isEmpty();
    }

    @Test
    void grantsTheRequestThatIsAsItShouldBe() throws Exception {
        PKIMessage answer = asked("hostile-none", requests("hostile-none").good());
        assertThat(Certificates.commonName(CmpCaller.issued(answer))).contains("hostile-none");
    }

    @Test
    void refusesAKeyOfAnotherDevice() throws Exception {
        KeyPair shared = Crypto.generateP256(CmpCaller.RANDOM);
        CmpCaller.issued(asked("shared-1", new HostileRequests("shared-1", shared, Optional.empty()).good()));
        CmpCaller.refused(
                asked("shared-2", new HostileRequests("shared-2", shared, Optional.empty()).good()),
                CmpFailure.BAD_CERT_TEMPLATE,
                "key");
        assertThat(server.server().identity().certificates(TestServer.device("shared-2")))
                .isEmpty();
    }

    /// How long a certificate counts is the profile's to say, and the issuer's end is its end.
    @Test
    void grantsNoValidityBeyondTheIssuersWhateverTheTemplateSays() {
        SharedSecrets.Issued.Secret secret = CmpCaller.secret(server, server.register("long-1"));
        Time end = new Time(Date.from(Instant.parse("2099-01-01T00:00:00Z")));
        PKIMessage answer = CmpCaller.withSecret(server, secret.id(), secret.secret(), CmpCaller.pbmac1(1_000))
                .send(CmpCaller.request(
                        PKIBody.TYPE_INIT_REQ,
                        "long-1",
                        Crypto.generateP256(CmpCaller.RANDOM),
                        template -> template.setValidity(new OptionalValidity(null, end))));
        assertThat(CmpCaller.issued(answer).getNotAfter())
                .isBefore(end.getDate())
                .isBeforeOrEqualTo(server.server()
                        .ca()
                        .authorities()
                        .devices(TestServer.ENVIRONMENT)
                        .orElseThrow()
                        .certificate()
                        .getNotAfter());
    }

    @Test
    void refusesAnotherTenantsLabel() throws Exception {
        server.server()
                .ca()
                .profiles()
                .put(
                        new Environment("staging"),
                        CertificateProfile.of(
                                "tenant-b", CertificateProfile.Usage.TLS_CLIENT, Duration.ofDays(30), Duration.ZERO),
                        "for tests",
                        TestServer.TESTER);
        SharedSecrets.Issued.Secret secret = CmpCaller.secret(server, server.register("tenant-1"));
        CmpCaller caller = CmpCaller.withSecret(server, secret.id(), secret.secret(), CmpCaller.pbmac1(1_000));
        byte[] message = caller.message(
                CmpCaller.request(PKIBody.TYPE_INIT_REQ, "tenant-1", Crypto.generateP256(CmpCaller.RANDOM)));
        caller.path = "/.well-known/cmp/p/tenant-b";
        assertThat(caller.post(message).statusCode()).isEqualTo(404);
        caller.path = "/.well-known/cmp";
        assertThat(Certificates.commonName(CmpCaller.issued(caller.sendRaw(message))))
                .contains("tenant-1");
    }
}
