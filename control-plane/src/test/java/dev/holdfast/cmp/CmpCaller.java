package dev.holdfast.cmp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.identity.SharedSecrets;
import dev.holdfast.protocol.cmp.Answers;
import dev.holdfast.protocol.cmp.CmpFailure;
import dev.holdfast.protocol.cmp.MacAlgorithm;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.SignatureSchemes;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERGeneralizedTime;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.cmp.CMPCertificate;
import org.bouncycastle.asn1.cmp.CMPObjectIdentifiers;
import org.bouncycastle.asn1.cmp.CertConfirmContent;
import org.bouncycastle.asn1.cmp.CertRepMessage;
import org.bouncycastle.asn1.cmp.CertStatus;
import org.bouncycastle.asn1.cmp.ErrorMsgContent;
import org.bouncycastle.asn1.cmp.GenMsgContent;
import org.bouncycastle.asn1.cmp.InfoTypeAndValue;
import org.bouncycastle.asn1.cmp.PKIBody;
import org.bouncycastle.asn1.cmp.PKIHeaderBuilder;
import org.bouncycastle.asn1.cmp.PKIMessage;
import org.bouncycastle.asn1.cmp.PKIStatusInfo;
import org.bouncycastle.asn1.cmp.ProtectedPart;
import org.bouncycastle.asn1.cmp.RevRepContent;
import org.bouncycastle.asn1.crmf.CertReqMessages;
import org.bouncycastle.asn1.crmf.CertReqMsg;
import org.bouncycastle.asn1.crmf.CertRequest;
import org.bouncycastle.asn1.crmf.CertTemplateBuilder;
import org.bouncycastle.asn1.crmf.POPOSigningKey;
import org.bouncycastle.asn1.crmf.ProofOfPossession;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// One transaction of a client of our own: for what `openssl cmp` 3.0 does not send (PBMAC1, some questions
/// of genm, rejections, and whatever is wrong). It checks every answer as a device has to.
final class CmpCaller {
    static final SecureRandom RANDOM = new SecureRandom();

    private Door door;
    private final Optional<Protector> protector;
    byte[] transaction = fresh();
    byte[] nonce = fresh();
    Optional<byte[]> answered = Optional.empty();
    List<InfoTypeAndValue> info = new ArrayList<>();
    String path = "/.well-known/cmp";
    String type = "application/pkixcmp";

    /// How messages are protected.
    interface Protector {
        AlgorithmIdentifier algorithm();

        X500Name name();

        Optional<byte[]> keyId();

        byte[] protect(byte[] part);

        List<X509Certificate> chain();

        /// Whether an answer is protected as it must be towards this one.
        boolean accepts(PKIMessage answer, byte[] part);
    }

    /// Where it asks, and whose answers it takes.
    ///
    /// @param servers who has issued the certificate that answers are signed with
    record Door(int port, X509Certificate root, X509Certificate servers) {
        static Door of(TestServer server) {
            return new Door(
                    server.server().devicePort(),
                    server.server().ca().authorities().root().certificate(),
                    server.server().ca().authorities().server().certificate());
        }
    }

    CmpCaller(TestServer server, Optional<Protector> protector) {
        this(Door.of(server), protector);
    }

    CmpCaller(Door door, Optional<Protector> protector) {
        this.door = door;
        this.protector = protector;
    }

    /// From here on another node is asked.
    void answersFrom(TestServer other) {
        door = Door.of(other);
    }

    static byte[] fresh() {
        byte[] fresh = new byte[16];
        RANDOM.nextBytes(fresh);
        return fresh;
    }

    static SharedSecrets.Issued.Secret secret(TestServer server, DeviceRef device) {
        return (SharedSecrets.Issued.Secret)
                server.server().identity().issueSharedSecret(device, Duration.ofHours(1), TestServer.TESTER);
    }

    static CmpCaller withSecret(TestServer server, String reference, String secret, AlgorithmIdentifier algorithm) {
        return withSecret(Door.of(server), reference, secret, algorithm);
    }

    static CmpCaller withSecret(Door door, String reference, String secret, AlgorithmIdentifier algorithm) {
        byte[] key = secret.getBytes(StandardCharsets.US_ASCII);
        return new CmpCaller(door, Optional.of(new Protector() {
            @Override
            public AlgorithmIdentifier algorithm() {
                return algorithm;
            }

            @Override
            public X500Name name() {
                return new X500Name("CN=" + reference);
            }

            @Override
            public Optional<byte[]> keyId() {
                return Optional.of(reference.getBytes(StandardCharsets.US_ASCII));
            }

            @Override
            public byte[] protect(byte[] part) {
                try {
                    return MacAlgorithm.of(algorithm).code(key, part);
                } catch (dev.holdfast.protocol.cmp.CmpException outOfBounds) {
                    return new byte[32];
                }
            }

            @Override
            public List<X509Certificate> chain() {
                return List.of();
            }

            @Override
            public boolean accepts(PKIMessage answer, byte[] part) {
                try {
                    return !MacAlgorithm.isMac(answer.getHeader().getProtectionAlg())
                            ? signedByServer(door, answer, part)
                            : MacAlgorithm.of(answer.getHeader().getProtectionAlg())
                                    .verify(key, part, answer.getProtection().getOctets());
                } catch (dev.holdfast.protocol.cmp.CmpException e) {
                    return false;
                }
            }
        }));
    }

    static AlgorithmIdentifier pbmac1(int iterations) {
        return MacAlgorithm.pbmac1(
                        new DEROctetString(fresh()), MacAlgorithm.Hash.SHA256, iterations, 32, MacAlgorithm.Hash.SHA256)
                .identifier();
    }

    static CmpCaller signed(TestServer server, X509Certificate certificate, PrivateKey key) {
        return new CmpCaller(server, Optional.of(new Protector() {
            @Override
            public AlgorithmIdentifier algorithm() {
                return SignatureSchemes.identifier("SHA256withECDSA");
            }

            @Override
            public X500Name name() {
                return X500Name.getInstance(
                        certificate.getSubjectX500Principal().getEncoded());
            }

            @Override
            public Optional<byte[]> keyId() {
                return Optional.ofNullable(certificate.getExtensionValue(Extension.subjectKeyIdentifier.getId()))
                        .map(value -> SubjectKeyIdentifier.getInstance(
                                        ASN1OctetString.getInstance(value).getOctets())
                                .getKeyIdentifier());
            }

            @Override
            public byte[] protect(byte[] part) {
                return Crypto.sign(key, "SHA256withECDSA", part);
            }

            @Override
            public List<X509Certificate> chain() {
                return List.of(certificate);
            }

            @Override
            public boolean accepts(PKIMessage answer, byte[] part) {
                return signedByServer(Door.of(server), answer, part);
            }
        }));
    }

    /// By the first of extraCerts, which our authority for servers has signed, for CMP and under its name.
    static boolean signedByServer(Door door, PKIMessage answer, byte[] part) {
        try {
            X509Certificate leaf = dev.holdfast.protocol.x509.Certificates.parse(
                    answer.getExtraCerts()[0].getEncoded(ASN1Encoding.DER));
            leaf.verify(door.servers().getPublicKey());
            return leaf.getSubjectX500Principal().getName().equals("CN=Holdfast CMP")
                    && leaf.getExtendedKeyUsage().equals(List.of("1.3.6.1.5.5.7.3.27"))
                    && Crypto.verify(
                            leaf.getPublicKey(),
                            "SHA256withECDSA",
                            part,
                            answer.getProtection().getOctets());
        } catch (IOException
                | GeneralSecurityException
                | dev.holdfast.protocol.x509.X509FormatException
                | RuntimeException e) {
            return false;
        }
    }

    // ------------------------------------------------------------------ messages

    byte[] message(PKIBody body) {
        try {
            GeneralName sender = new GeneralName(protector.map(Protector::name).orElse(new X500Name("CN=nobody")));
            PKIHeaderBuilder header = new PKIHeaderBuilder(2, sender, new GeneralName(new X500Name("CN=Holdfast CMP")));
            header.setMessageTime(new DERGeneralizedTime(Date.from(Instant.now())));
            header.setTransactionID(transaction);
            header.setSenderNonce(nonce);
            answered.ifPresent(header::setRecipNonce);
            if (!info.isEmpty()) {
                header.setGeneralInfo(info.toArray(InfoTypeAndValue[]::new));
            }
            if (protector.isEmpty()) {
                return new PKIMessage(header.build(), body).getEncoded(ASN1Encoding.DER);
            }
            header.setProtectionAlg(protector.get().algorithm());
            protector.get().keyId().ifPresent(header::setSenderKID);
            var built = header.build();
            byte[] protection = protector.get().protect(new ProtectedPart(built, body).getEncoded(ASN1Encoding.DER));
            CMPCertificate[] extra =
                    protector.get().chain().stream().map(Answers::certificate).toArray(CMPCertificate[]::new);
            return new PKIMessage(built, body, new DERBitString(protection), extra.length == 0 ? null : extra)
                    .getEncoded(ASN1Encoding.DER);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    HttpResponse<byte[]> post(byte[] message) {
        try (HttpClient client = client()) {
            return client.send(
                    HttpRequest.newBuilder(URI.create("https://localhost:" + door.port() + path))
                            .timeout(Duration.ofSeconds(30))
                            .header("content-type", type)
                            .POST(HttpRequest.BodyPublishers.ofByteArray(message))
                            .build(),
                    HttpResponse.BodyHandlers.ofByteArray());
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    private HttpClient client() {
        try {
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            trusted.setCertificateEntry("root", door.root());
            TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
            trust.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), RANDOM);
            return HttpClient.newBuilder()
                    .sslContext(context)
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(Duration.ofSeconds(10))
                    .build();
        } catch (GeneralSecurityException | IOException e) {
            throw new AssertionError(e);
        }
    }

    /// Sends it; checks status, transaction, nonces and protection of the answer; the next message goes on
    /// from there.
    PKIMessage send(PKIBody body) {
        return sendRaw(message(body));
    }

    PKIMessage sendRaw(byte[] message) {
        HttpResponse<byte[]> response = post(message);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("content-type")).contains("application/pkixcmp");
        PKIMessage answer = PKIMessage.getInstance(response.body());
        byte[] sent =
                PKIMessage.getInstance(message).getHeader().getSenderNonce().getOctets();
        assertThat(answer.getHeader().getTransactionID().getOctets()).isEqualTo(transaction);
        assertThat(answer.getHeader().getRecipNonce().getOctets()).isEqualTo(sent);
        assertThat(answer.getHeader().getSenderNonce().getOctets()).hasSize(16);
        try {
            byte[] part = new ProtectedPart(answer.getHeader(), answer.getBody()).getEncoded(ASN1Encoding.DER);
            assertThat(protector.map(p -> p.accepts(answer, part)).orElseGet(() -> signedByServer(door, answer, part)))
                    .as("the answer's protection")
                    .isTrue();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        answered = Optional.of(answer.getHeader().getSenderNonce().getOctets());
        nonce = fresh();
        return answer;
    }

    // ------------------------------------------------------------------ bodies

    static PKIBody request(int type, String name, KeyPair key) {
        return request(type, name, key, template -> template);
    }

    static PKIBody request(int type, String name, KeyPair key, UnaryOperator<CertTemplateBuilder> more) {
        try {
            CertRequest request = new CertRequest(
                    0,
                    more.apply(new CertTemplateBuilder()
                                    .setSubject(new X500Name("CN=" + name))
                                    .setPublicKey(SubjectPublicKeyInfo.getInstance(
                                            key.getPublic().getEncoded())))
                            .build(),
                    null);
            String scheme = Crypto.schemeFor(key.getPublic());
            byte[] signature = Crypto.sign(key.getPrivate(), scheme, request.getEncoded(ASN1Encoding.DER));
            return requestWith(
                    type,
                    request,
                    new ProofOfPossession(new POPOSigningKey(
                            null, SignatureSchemes.identifier(scheme), new DERBitString(signature))));
        } catch (IOException | GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    static PKIBody requestWith(
            int type, CertRequest request, @org.jspecify.annotations.Nullable ProofOfPossession proof) {
        return new PKIBody(type, new CertReqMessages(new CertReqMsg(request, proof, null)));
    }

    static UnaryOperator<CertTemplateBuilder> extension(ASN1ObjectIdentifier type, ASN1Encodable value) {
        return template -> {
            try {
                return template.setExtensions(new Extensions(Extension.create(type, true, value)));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        };
    }

    static PKIBody confirm(byte[] certHash, boolean accept, String text) {
        List<ASN1Encodable> status = new ArrayList<>(List.of(new DEROctetString(certHash), new ASN1Integer(0)));
        if (!accept) {
            status.add(new DERSequence(
                    new ASN1Encodable[] {new ASN1Integer(2), new DERSequence(new DERUTF8String(text))}));
        }
        return new PKIBody(
                PKIBody.TYPE_CERT_CONFIRM,
                CertConfirmContent.getInstance(new DERSequence(
                        CertStatus.getInstance(new DERSequence(status.toArray(ASN1Encodable[]::new))))));
    }

    static PKIBody poll() {
        return new PKIBody(PKIBody.TYPE_POLL_REQ, new DERSequence(new DERSequence(new ASN1Integer(0))));
    }

    static PKIBody question(ASN1ObjectIdentifier type, ASN1Encodable... value) {
        return new PKIBody(
                PKIBody.TYPE_GEN_MSG,
                new GenMsgContent(
                        value.length == 0 ? new InfoTypeAndValue(type) : new InfoTypeAndValue(type, value[0])));
    }

    // ------------------------------------------------------------------ answers

    static X509Certificate issued(PKIMessage answer) {
        try {
            var response =
                    CertRepMessage.getInstance(answer.getBody().getContent()).getResponse()[0];
            assertThat(response.getCertifiedKeyPair())
                    .as(() -> failureText(answer))
                    .isNotNull();
            return dev.holdfast.protocol.x509.Certificates.parse(response.getCertifiedKeyPair()
                    .getCertOrEncCert()
                    .getCertificate()
                    .getEncoded(ASN1Encoding.DER));
        } catch (IOException | dev.holdfast.protocol.x509.X509FormatException e) {
            throw new AssertionError(e);
        }
    }

    static PKIStatusInfo status(PKIMessage answer) {
        ASN1Encodable content = answer.getBody().getContent();
        return switch (answer.getBody().getType()) {
            case PKIBody.TYPE_INIT_REP, PKIBody.TYPE_CERT_REP, PKIBody.TYPE_KEY_UPDATE_REP ->
                CertRepMessage.getInstance(content).getResponse()[0].getStatus();
            case PKIBody.TYPE_REVOCATION_REP ->
                RevRepContent.getInstance(content).getStatus()[0];
            case PKIBody.TYPE_ERROR -> ErrorMsgContent.getInstance(content).getPKIStatusInfo();
            default ->
                throw new AssertionError(
                        "no status in an answer of type " + answer.getBody().getType());
        };
    }

    static String failureText(PKIMessage answer) {
        PKIStatusInfo status = status(answer);
        return Arrays.stream(CmpFailure.values())
                        .filter(f -> status.getFailInfo() != null && f.in(status.getFailInfo()))
                        .toList()
                + " "
                + (status.getStatusString() == null
                        ? ""
                        : status.getStatusString().getStringAtUTF8(0).getString());
    }

    /// That the answer says no, and why.
    static void refused(PKIMessage answer, CmpFailure failure, String text) {
        assertThat(status(answer).getStatusObject().intValueExact()).isEqualTo(2);
        assertThat(failureText(answer)).startsWith("[" + failure + "]").contains(text);
    }

    static InfoTypeAndValue answer(PKIMessage genp) {
        assertThat(genp.getBody().getType()).isEqualTo(PKIBody.TYPE_GEN_REP);
        return org.bouncycastle.asn1.cmp.GenRepContent.getInstance(
                        genp.getBody().getContent())
                .toInfoTypeAndValueArray()[0];
    }

    static final InfoTypeAndValue IMPLICIT =
            new InfoTypeAndValue(CMPObjectIdentifiers.it_implicitConfirm, org.bouncycastle.asn1.DERNull.INSTANCE);
}
