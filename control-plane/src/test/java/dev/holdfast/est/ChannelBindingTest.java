package dev.holdfast.est;

import static dev.holdfast.est.EstRequests.key;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.est.EstCaller.Caller;
import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.est.ChannelBinding;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERPrintableString;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Requests bound to the TLS channel they are sent by (RFC 7030 section 3.5 with RFC 9266), with a client of
/// our own: neither curl nor strongSwan can ask TLS for exported keying material and put it into a request.
class ChannelBindingTest {
    private static final ASN1ObjectIdentifier IDENTITY_LINKING = new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.2.58");
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
        EstRequests.profile(server, "bound", "{\"admittance\":{\"channelBound\":true}}");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static byte[] bound(String id, KeyPair key, byte[] channel) throws Exception {
        return EstRequests.with(
                id,
                key,
                PKCSObjectIdentifiers.pkcs_9_at_challengePassword,
                new DERPrintableString(ChannelBinding.text(channel)));
    }

    private static X509Certificate certificate(TlsCaller.Answer answer) throws Exception {
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        return CertificatesOnly.decode(Base64.getDecoder().decode(answer.body()))
                .getFirst();
    }

    @Test
    void aProfileThatWantsABindingGetsOneOnTheListenerThatCanCheckIt() throws Exception {
        DeviceRef device = server.register("bind-1");
        String credential = server.credential(device);
        KeyPair key = key();
        try (TlsCaller channel = TlsCaller.bound(server, Optional.empty())) {
            TlsCaller.Answer none =
                    channel.post("bound/simpleenroll", CertificationRequest.create("bind-1", key), credential);
            assertThat(none.status()).isEqualTo(400);
            assertThat(none.body()).contains("channel-binding-needed");
            X509Certificate certificate = certificate(
                    channel.post("bound/simpleenroll", bound("bind-1", key, channel.exported()), credential));
            assertThat(Certificates.commonName(certificate)).contains("bind-1");

            KeyPair next = key();
            try (TlsCaller renewal =
                    TlsCaller.bound(server, Optional.of(new Caller(key.getPrivate(), List.of(certificate))))) {
                assertThat(renewal.exported()).isNotEqualTo(channel.exported());
                assertThat(renewal.post("simplereenroll", CertificationRequest.create("bind-1", next), "")
                                .body())
                        .as("a renewal is bound as well")
                        .contains("channel-binding-needed");
                certificate(renewal.post("bound/simplereenroll", bound("bind-1", next, renewal.exported()), ""));
            }
        }
    }

    @Test
    void theAttributeOfRfc7894IsTakenInsteadOfTheChallengePassword() throws Exception {
        DeviceRef device = server.register("bind-2");
        try (TlsCaller channel = TlsCaller.bound(server, Optional.empty())) {
            byte[] request = EstRequests.with(
                    "bind-2", key(), IDENTITY_LINKING, new DERPrintableString(ChannelBinding.text(channel.exported())));
            certificate(channel.post("bound/simpleenroll", request, server.credential(device)));
        }
    }

    @Test
    void refusesABindingReplayedFromAnotherChannel() throws Exception {
        DeviceRef device = server.register("bind-3");
        String credential = server.credential(device);
        byte[] recorded;
        try (TlsCaller first = TlsCaller.bound(server, Optional.empty())) {
            recorded = bound("bind-3", key(), first.exported());
        }
        try (TlsCaller second = TlsCaller.bound(server, Optional.empty())) {
            TlsCaller.Answer replayed = second.post("bound/simpleenroll", recorded, credential);
            assertThat(replayed.status()).isEqualTo(400);
            assertThat(replayed.body()).contains("channel-binding-wrong");
            assertThat(second.post("simpleenroll", recorded, credential).body())
                    .as("a wrong binding is refused where none is wanted, too")
                    .contains("channel-binding-wrong");
            for (String made : List.of("", "AAAA", Base64.getEncoder().encodeToString(new byte[32]))) {
                byte[] request = EstRequests.with(
                        "bind-3",
                        key(),
                        PKCSObjectIdentifiers.pkcs_9_at_challengePassword,
                        new DERPrintableString(made));
                assertThat(second.post("bound/simpleenroll", request, credential)
                                .body())
                        .contains("channel-binding-wrong");
            }
        }
        assertThat(server.server().identity().certificates(device)).isEmpty();
    }

    @Test
    void theListenerThatCanNotExportGrantsNothingThatHasToBeBound() throws Exception {
        DeviceRef device = server.register("bind-4");
        String credential = server.credential(device);
        try (TlsCaller fast = TlsCaller.plain(server, Optional.empty())) {
            TlsCaller.Answer refused =
                    fast.post("bound/simpleenroll", bound("bind-4", key(), fast.exported()), credential);
            assertThat(refused.status()).isEqualTo(400);
            assertThat(refused.body()).contains("channel-binding-needed");
        }
    }

    @Test
    void theSameDoorStandsAtBothListeners() throws Exception {
        try (TlsCaller channel = TlsCaller.bound(server, Optional.empty());
                TlsCaller fast = TlsCaller.plain(server, Optional.empty())) {
            assertThat(channel.get("cacerts").body())
                    .isEqualTo(fast.get("cacerts").body());
            assertThat(channel.get("nowhere/cacerts").status()).isEqualTo(404);
        }
        EstCaller.Maker stranger = EstCaller.Maker.named("CN=Somebody else");
        KeyPair key = key();
        Caller foreign = new Caller(key.getPrivate(), List.of(stranger.device("CN=bound-foreign", key)));
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> {
                    try (TlsCaller channel = TlsCaller.bound(server, Optional.of(foreign))) {
                        channel.get("cacerts");
                    }
                })
                .isInstanceOf(java.io.IOException.class);
        TestServer.await(
                "the failure is recorded with its cause",
                () -> server.server().plane().failures().last(50).stream()
                        .anyMatch(f -> f.cause() == dev.holdfast.tls.HandshakeFailure.Cause.ISSUER_UNKNOWN
                                && f.subject().equals("CN=bound-foreign")));
    }
}
