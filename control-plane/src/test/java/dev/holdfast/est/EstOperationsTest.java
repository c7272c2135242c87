package dev.holdfast.est;

import static dev.holdfast.est.EstRequests.assertRefused;
import static dev.holdfast.est.EstRequests.key;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.ca.CertificateState;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.est.EstCaller.Caller;
import dev.holdfast.identity.Applicant;
import dev.holdfast.identity.Credential;
import dev.holdfast.identity.EnrolmentOutcome;
import dev.holdfast.identity.HeldRequests;
import dev.holdfast.identity.SharedSecrets;
import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.est.CsrAttributes;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.testkit.RealClient;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.bc.BcX509ExtensionUtils;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// EST's operations beside plain enrolment (RFC 7030, 8951, 9908): labels, templates, keys made by the
/// server, waiting for a person, renewal that compares names whole; over real TLS.
class EstOperationsTest {
    private static final ASN1ObjectIdentifier DECRYPT_KEY = new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.2.37");
    private static final ASN1ObjectIdentifier ASYMMETRIC_DECRYPT_KEY =
            new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.2.54");
    private static final String CERTIFICATES = "application/pkcs7-mime; smime-type=certs-only";
    private static final String SEALED = "application/pkcs7-mime; smime-type=server-generated-key";
    private static TestServer server;

    @TempDir
    Path folder;

    @BeforeAll
    static void start() {
        server = TestServer.start();
        EstRequests.profile(
                server, "meter", "{\"keys\":{\"kinds\":[\"ec-p256\"]},\"validity\":{\"lifetime\":\"P30D\"}}");
        EstRequests.profile(server, "reviewed", "{\"admittance\":{\"approval\":true}}");
        EstRequests.profile(server, "keyless", "{\"keys\":{\"serverGenerated\":true}}");
        EstRequests.profile(
                server,
                "gateway",
                "{\"usages\":[\"tls-client\",\"tls-server\"],\"keys\":{\"kinds\":[\"rsa\"]},"
                        + "\"admittance\":{\"dnsNames\":[\"*.gw.example.org\"],\"channelBound\":true}}");
        EstRequests.profile(server, "named", "{\"admittance\":{\"dnsNames\":[\"*.gw.example.org\"]}}");
        EstRequests.profile(server, new Environment("staging"), "elsewhere", "{}");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static HttpResponse<String> get(String operation) throws Exception {
        try (var client = EstCaller.client(server, Optional.empty())) {
            return client.send(
                    HttpRequest.newBuilder(URI.create("https://localhost:"
                                    + server.server().devicePort() + "/.well-known/est/" + operation))
                            .timeout(Duration.ofSeconds(30))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }

    private static HttpResponse<String> post(String operation, byte[] der, String credential) throws Exception {
        return EstCaller.post(server, operation, Base64.getEncoder().encode(der), credential, Optional.empty());
    }

    @Test
    void aLabelIsAProfileOfThisEnvironmentAndEveryOtherOneIsRefusedAlike() throws Exception {
        DeviceRef device = server.register("label-1");
        String credential = server.credential(device);
        byte[] request = CertificationRequest.create("label-1", key());
        assertRefused(post("nowhere/simpleenroll", request, credential), 404, "est-label-unknown");
        HttpResponse<String> elsewhere = post("elsewhere/simpleenroll", request, credential);
        assertRefused(elsewhere, 404, "est-label-unknown");
        assertThat(elsewhere.body())
                .as("another environment's label looks like none at all")
                .isEqualTo(post("nowhere/simpleenroll", request, credential).body());
        assertRefused(get("elsewhere/csrattrs"), 404, "est-label-unknown");
        assertRefused(get("a/b/cacerts"), 404, "est-label-unknown");
        assertRefused(get("Meter/cacerts"), 404, "est-label-unknown");

        X509Certificate certificate = EstCaller.certificate(post("meter/simpleenroll", request, credential));
        assertThat(Duration.between(
                        certificate.getNotBefore().toInstant(),
                        certificate.getNotAfter().toInstant()))
                .isLessThan(Duration.ofDays(31));
        assertThat(server.server().identity().certificates(device).getFirst().profile())
                .isEqualTo("meter");
        assertThat(get("meter/cacerts").body()).isEqualTo(get("cacerts").body());
    }

    @Test
    void aProfileTakesItsOwnKindsOfKeyOnly() throws Exception {
        DeviceRef device = server.register("kind-1");
        byte[] request = CertificationRequest.create("kind-1", Crypto.generate(KeyKind.ED25519, EstCaller.RANDOM));
        assertRefused(
                post("meter/simpleenroll", request, server.credential(device)), 400, "key-not-accepted-by-profile");
    }

    @Test
    void wrongMethodsAndOperationsAreSaidToBeSuch() throws Exception {
        HttpResponse<String> wrong = get("simpleenroll");
        assertRefused(wrong, 405, "method-not-allowed");
        assertThat(wrong.headers().firstValue("allow")).contains("POST");
        assertRefused(get("nothing"), 404, "est-operation-unknown");
        HttpResponse<String> cmc = post("fullcmc", new byte[] {1}, "");
        assertRefused(cmc, 501, "est-operation-not-offered");
        assertThat(cmc.body()).contains("full CMC is not offered");
    }

    @Test
    void attributesAreATemplateOfTheProfileBesideTheOldList() throws Exception {
        HttpResponse<String> answer = get("gateway/csrattrs");
        assertThat(answer.headers().firstValue("content-type")).contains("application/csrattrs");
        assertThat(answer.body()).as("one line of base64").doesNotContain("\n");
        byte[] der = Base64.getDecoder().decode(answer.body());
        Files.write(folder.resolve("csrattrs.der"), der);
        String seen = RealClient.of("openssl", "asn1parse", "-inform", "DER", "-in", "csrattrs.der", "-i")
                .in(folder)
                .run()
                .succeeded()
                .text();
        assertThat(seen)
                .contains("rsaEncryption")
                .contains("challengePassword")
                .contains("1.2.840.113549.1.9.16.2.61")
                .contains("1.2.840.113549.1.9.16.2.62")
                .contains("X509v3 Subject Alternative Name");
        assertThat(template(get("meter/csrattrs")))
                .as("version, subject, key [0], attributes [1]")
                .hasSize(4);
        assertThat(template(get("csrattrs")))
                .as("any key will do, so the template says nothing of it")
                .hasSize(3);
    }

    private static List<?> template(HttpResponse<String> answer) {
        for (var element : ASN1Sequence.getInstance(Base64.getDecoder().decode(answer.body()))) {
            if (element instanceof ASN1Sequence attribute
                    && attribute.getObjectAt(0).equals(CsrAttributes.TEMPLATE)) {
                return java.util.Arrays.asList(
                        ASN1Sequence.getInstance(org.bouncycastle.asn1.ASN1Set.getInstance(attribute.getObjectAt(1))
                                        .getObjectAt(0))
                                .toArray());
            }
        }
        throw new AssertionError("no template");
    }

    @Test
    void aRequestWaitsForAPersonWith202AndIsGrantedWhenItIsSentAgain() throws Exception {
        DeviceRef device = server.register("wait-1");
        String credential = server.credential(device);
        byte[] request = CertificationRequest.create("wait-1", key());
        HttpResponse<String> first = post("reviewed/simpleenroll", request, credential);
        assertThat(first.statusCode()).isEqualTo(202);
        assertThat(Integer.parseInt(first.headers().firstValue("retry-after").orElseThrow()))
                .isBetween(1, 3_600);
        assertThat(post("reviewed/simpleenroll", request, credential).statusCode())
                .isEqualTo(202);
        HeldRequests.Held held = held("wait-1");
        assertThat(held.timesAsked()).isEqualTo(2);

        server.server()
                .identity()
                .held()
                .decide(TestServer.ENVIRONMENT, held.id(), true, "it is on the list", TestServer.TESTER);
        assertThat(EstCaller.certificate(post("reviewed/simpleenroll", request, credential))
                        .getSubjectX500Principal()
                        .getName())
                .isEqualTo("CN=wait-1");
    }

    /// A person approves what they were told, and not whatever else is asked for with that key.
    @Test
    void anApprovalIsForTheProfileAndTheNamesThatThePersonWasTold() throws Exception {
        EstRequests.profile(
                server,
                "reviewed-gateway",
                "{\"usages\":[\"tls-client\",\"tls-server\"],"
                        + "\"admittance\":{\"approval\":true,\"dnsNames\":[\"*.gw.example.org\"]}}");
        DeviceRef device = server.register("wait-3");
        String credential = server.credential(device);
        KeyPair key = key();
        byte[] plain = CertificationRequest.create("wait-3", key);
        ExtensionsGenerator names = new ExtensionsGenerator();
        names.addExtension(
                Extension.subjectAlternativeName,
                false,
                new GeneralNames(new GeneralName(GeneralName.dNSName, "bank.gw.example.org")));
        byte[] named = EstRequests.withExtensions("wait-3", key, names.generate());

        assertThat(post("reviewed/simpleenroll", plain, credential).statusCode())
                .isEqualTo(202);
        HeldRequests.Held asked = held("wait-3");
        assertThat(asked.detail()).contains("by profile reviewed");
        assertThat(asked.key()).hasSize(64);
        approve(asked);
        assertThat(post("reviewed-gateway/simpleenroll", plain, credential).statusCode())
                .as("by another profile")
                .isEqualTo(202);
        approve(held("wait-3"));
        assertThat(post("reviewed-gateway/simpleenroll", named, credential).statusCode())
                .as("for other names")
                .isEqualTo(202);
        assertThat(held("wait-3").detail()).contains("by profile reviewed-gateway for DNS:bank.gw.example.org");
        assertThat(server.server().identity().certificates(device)).isEmpty();

        assertThat(post("reviewed/simpleenroll", plain, credential).statusCode())
                .as("what was approved")
                .isEqualTo(200);
    }

    @Test
    void aDeviceThatAsksWithEverNewKeysTakesNobodysPlace() throws Exception {
        DeviceRef greedy = server.register("wait-greedy");
        String credential = server.credential(greedy);
        byte[] first = CertificationRequest.create("wait-greedy", key());
        assertThat(post("reviewed/simpleenroll", first, credential).statusCode())
                .isEqualTo(202);
        int taken = 1;
        HttpResponse<String> answer;
        do {
            answer = post("reviewed/simpleenroll", CertificationRequest.create("wait-greedy", key()), credential);
            taken += answer.statusCode() == 202 ? 1 : 0;
        } while (answer.statusCode() == 202 && taken < 50);
        assertRefused(answer, 503, "too-many-requests-wait");
        assertThat(taken).isEqualTo(10);
        assertThat(post("reviewed/simpleenroll", first, credential).statusCode())
                .as("what waits goes on waiting")
                .isEqualTo(202);
        DeviceRef other = server.register("wait-modest");
        assertThat(post(
                                "reviewed/simpleenroll",
                                CertificationRequest.create("wait-modest", key()),
                                server.credential(other))
                        .statusCode())
                .isEqualTo(202);
    }

    private static void approve(HeldRequests.Held request) {
        server.server()
                .identity()
                .held()
                .decide(TestServer.ENVIRONMENT, request.id(), true, "it is on the list", TestServer.TESTER);
    }

    @Test
    void aRequestThatAPersonRefusedIsToldSo() throws Exception {
        DeviceRef device = server.register("wait-2");
        String credential = server.credential(device);
        byte[] request = CertificationRequest.create("wait-2", key());
        assertThat(post("reviewed/simpleenroll", request, credential).statusCode())
                .isEqualTo(202);
        server.server()
                .identity()
                .held()
                .decide(TestServer.ENVIRONMENT, held("wait-2").id(), false, "unknown to us", TestServer.TESTER);
        assertRefused(post("reviewed/simpleenroll", request, credential), 403, "refused-by-a-person");
    }

    private static HeldRequests.Held held(String device) {
        return server
                .server()
                .identity()
                .held()
                .list(TestServer.ENVIRONMENT, Optional.of(HeldRequests.State.WAITING), 100)
                .stream()
                .filter(h -> h.device().equals(device))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aKeyIsMadeByTheServerOnlyWhereTheProfileSaysSo() throws Exception {
        DeviceRef device = server.register("key-0");
        String credential = server.credential(device);
        byte[] request = CertificationRequest.create("key-0", key());
        assertRefused(post("serverkeygen", request, credential), 403, "server-key-not-offered-by-profile");
        assertThat(post("keyless/simpleenroll", request, credential).statusCode())
                .as("nothing was used up")
                .isEqualTo(200);
    }

    @Test
    void aKeyMadeByTheServerComesWithItsCertificateAndIsKeptNowhere() throws Exception {
        for (KeyKind kind : List.of(KeyKind.EC_P256, KeyKind.ED25519, KeyKind.RSA)) {
            String id = "key-" + kind.text();
            DeviceRef device = server.register(id);
            byte[] request = CertificationRequest.create(id, Crypto.generate(kind, EstCaller.RANDOM));
            EstRequests.Parts parts =
                    EstRequests.parts(post("keyless/serverkeygen", request, server.credential(device)));
            assertThat(parts.types()).containsExactly(CERTIFICATES, "application/pkcs8");
            X509Certificate certificate =
                    CertificatesOnly.decode(parts.get(CERTIFICATES)).getFirst();
            assertThat(KeyKind.of(certificate.getPublicKey())).isEqualTo(kind);
            assertThat(certificate.getPublicKey())
                    .isNotEqualTo(CertificationRequest.verify(request).publicKey());
            assertFits(parts.get("application/pkcs8"), certificate);
            // octets of the private part: RSA's last number, the scalar of the others
            String hex = HexFormat.of().formatHex(parts.get("application/pkcs8"));
            assertKeptNowhere(kind == KeyKind.RSA ? hex.substring(hex.length() - 60) : hex.substring(72, 96));
        }
    }

    private static PrivateKey privateKey(byte[] pkcs8, X509Certificate certificate) throws Exception {
        SubjectPublicKeyInfo info =
                SubjectPublicKeyInfo.getInstance(certificate.getPublicKey().getEncoded());
        return Crypto.privateKey(Crypto.algorithm(info.getAlgorithm()).orElseThrow(), pkcs8);
    }

    private static void assertFits(byte[] pkcs8, X509Certificate certificate) throws Exception {
        byte[] message = {1, 2, 3};
        String scheme = Crypto.schemeFor(certificate.getPublicKey());
        assertThat(Crypto.verify(
                        certificate.getPublicKey(),
                        scheme,
                        message,
                        Crypto.sign(privateKey(pkcs8, certificate), scheme, message)))
                .isTrue();
    }

    /// Not in the database, in whatever column.
    private static void assertKeptNowhere(String hex) throws Exception {
        try (var database = dev.holdfast.database.Database.open(server.database(), 2)) {
            for (String table : database.<List<String>>read(
                    sql -> sql.fetch("select table_name from information_schema.tables where table_schema = 'public'")
                            .map(row -> row.get(0, String.class)))) {
                assertThat(database.<Integer>read(sql -> sql.fetchOne(
                                        "select count(*) from \"" + table + "\" t where t::text like ?",
                                        "%" + hex + "%")
                                .get(0, Integer.class)))
                        .as(table)
                        .isZero();
            }
        }
    }

    @Test
    void aKeyMadeByTheServerIsEncryptedByASecretThatBothSidesKnow() throws Exception {
        DeviceRef device = server.register("sealed-1");
        var secret = (SharedSecrets.Issued.Secret)
                server.server().identity().issueSharedSecret(device, Duration.ofHours(1), TestServer.TESTER);
        byte[] request = EstRequests.with(
                "sealed-1", key(), DECRYPT_KEY, new DEROctetString(secret.id().getBytes(StandardCharsets.US_ASCII)));
        EstRequests.Parts parts = EstRequests.parts(post("keyless/serverkeygen", request, server.credential(device)));
        assertThat(parts.types()).containsExactlyInAnyOrder(CERTIFICATES, SEALED);
        Files.write(folder.resolve("sealed.der"), parts.get(SEALED));
        opened(
                parts,
                "-secretkey",
                HexFormat.of().formatHex(Base64.getUrlDecoder().decode(secret.secret())),
                "-secretkeyid",
                HexFormat.of().formatHex(secret.id().getBytes(StandardCharsets.US_ASCII)));
    }

    @Test
    void aKeyMadeByTheServerIsEncryptedToAnEcOrRsaKeyOfTheDevice() throws Exception {
        for (KeyKind kind : List.of(KeyKind.EC_P256, KeyKind.RSA)) {
            String id = "sealed-" + kind.text();
            DeviceRef device = server.register(id);
            KeyPair transport = Crypto.generate(kind, EstCaller.RANDOM);
            byte[] keyId = new BcX509ExtensionUtils()
                    .createSubjectKeyIdentifier(SubjectPublicKeyInfo.getInstance(
                            transport.getPublic().getEncoded()))
                    .getKeyIdentifier();
            byte[] request = EstRequests.with(id, transport, ASYMMETRIC_DECRYPT_KEY, new DEROctetString(keyId));
            EstRequests.Parts parts =
                    EstRequests.parts(post("keyless/serverkeygen", request, server.credential(device)));
            Files.write(folder.resolve("sealed.der"), parts.get(SEALED));
            Files.writeString(
                    folder.resolve("transport.pem"),
                    Pem.encode("PRIVATE KEY", transport.getPrivate().getEncoded()));
            opened(parts, "-inkey", "transport.pem");
        }
    }

    /// openssl opens the envelope, checks the signature of who made the key, and what is inside fits the
    /// certificate.
    private void opened(EstRequests.Parts parts, String... with) throws Exception {
        List<String> command = new java.util.ArrayList<>(
                List.of("openssl", "cms", "-decrypt", "-inform", "DER", "-in", "sealed.der", "-out", "signed.raw"));
        command.addAll(List.of(with));
        RealClient.of(command.getFirst(), command.subList(1, command.size()).toArray(String[]::new))
                .in(folder)
                .run()
                .succeeded();
        // The envelope's content is a SignedData of its own type, without a ContentInfo around it.
        byte[] signed = Files.readAllBytes(folder.resolve("signed.raw"));
        Files.write(
                folder.resolve("signed.der"),
                new org.bouncycastle.asn1.cms.ContentInfo(
                                org.bouncycastle.asn1.cms.CMSObjectIdentifiers.signedData,
                                ASN1Sequence.getInstance(signed))
                        .getEncoded("DER"));
        Files.copy(server.rootPem(), folder.resolve("root.pem"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        RealClient.of(
                        "openssl",
                        "cms",
                        "-verify",
                        "-inform",
                        "DER",
                        "-in",
                        "signed.der",
                        "-CAfile",
                        "root.pem",
                        "-purpose",
                        "any",
                        "-binary",
                        "-out",
                        "package.der")
                .in(folder)
                .run()
                .succeeded();
        byte[] keyPackage = Files.readAllBytes(folder.resolve("package.der"));
        byte[] pkcs8 = ASN1Sequence.getInstance(keyPackage)
                .getObjectAt(0)
                .toASN1Primitive()
                .getEncoded("DER");
        assertFits(pkcs8, CertificatesOnly.decode(parts.get(CERTIFICATES)).getFirst());
    }

    @Test
    void aKeyIsNotEncryptedToAStrangersSecretOrKeyAndNotSentOpenInstead() throws Exception {
        DeviceRef device = server.register("sealed-3");
        DeviceRef other = server.register("sealed-4");
        var foreign = (SharedSecrets.Issued.Secret)
                server.server().identity().issueSharedSecret(other, Duration.ofHours(1), TestServer.TESTER);
        String credential = server.credential(device);
        for (String id : List.of(foreign.id(), "hfs0000000000000000")) {
            byte[] request = EstRequests.with(
                    "sealed-3", key(), DECRYPT_KEY, new DEROctetString(id.getBytes(StandardCharsets.US_ASCII)));
            assertRefused(post("keyless/serverkeygen", request, credential), 400, "encryption-key-unknown");
        }
        byte[] request = EstRequests.with("sealed-3", key(), ASYMMETRIC_DECRYPT_KEY, new DEROctetString(new byte[20]));
        assertRefused(post("keyless/serverkeygen", request, credential), 400, "encryption-key-unknown");
        assertThat(server.server().identity().certificates(device)).isEmpty();
    }

    @Test
    void aDeviceRenewsWithAKeyMadeByTheServerAndALostAnswerMeansANewKey() throws Exception {
        DeviceRef device = server.register("key-renew");
        KeyPair key = key();
        X509Certificate first = EstCaller.certificate(
                post("keyless/simpleenroll", CertificationRequest.create("key-renew", key), server.credential(device)));
        Caller caller = new Caller(key.getPrivate(), List.of(first));
        byte[] body = Base64.getEncoder().encode(CertificationRequest.create("key-renew", key()));
        X509Certificate lost = CertificatesOnly.decode(
                        EstRequests.parts(EstCaller.post(server, "serverkeygen", body, "", Optional.of(caller)))
                                .get(CERTIFICATES))
                .getFirst();
        X509Certificate second = CertificatesOnly.decode(
                        EstRequests.parts(EstCaller.post(server, "serverkeygen", body, "", Optional.of(caller)))
                                .get(CERTIFICATES))
                .getFirst();
        assertThat(second.getPublicKey()).isNotEqualTo(lost.getPublicKey());
        assertThat(server.server().identity().admit(second, java.time.Instant.now()))
                .isInstanceOf(dev.holdfast.identity.Admission.Admitted.class);
        TestServer.await(
                "what was lost on the way does not count any more",
                () -> server.server().identity().certificates(device).stream()
                                .filter(c -> c.state() == CertificateState.SUPERSEDED)
                                .count()
                        == 2);
    }

    @Test
    void renewalComparesSubjectAndAlternativeNamesWholeAndKeepsThem() throws Exception {
        DeviceRef device = server.register("whole-1");
        KeyPair key = key();
        byte[] request = EstRequests.withExtensions("whole-1", key, names("a.gw.example.org"));
        X509Certificate first = EstCaller.certificate(post("named/simpleenroll", request, server.credential(device)));
        assertThat(first.getSubjectAlternativeNames().stream()
                        .map(n -> n.get(1))
                        .toList())
                .asString()
                .contains("a.gw.example.org");
        Caller caller = new Caller(key.getPrivate(), List.of(first));
        byte[] more = EstRequests.with(new X500Name("CN=whole-1,O=Somebody"), key(), Map.of());
        assertRefused(EstCaller.renew(server, more, caller), 403, "subject-is-not-the-device");
        for (GeneralNames wrong : List.of(generalNames("b.gw.example.org"), generalNames("a.gw.example.org"))) {
            byte[] other = EstRequests.withExtensions("whole-1", key(), extensions(wrong));
            assertRefused(EstCaller.renew(server, other, caller), 403, "alternative-names-differ");
        }
        X509Certificate unchanged =
                EstCaller.certificate(EstCaller.renew(server, CertificationRequest.create("whole-1", key()), caller));
        assertThat(unchanged.getSubjectAlternativeNames())
                .containsExactlyElementsOf(first.getSubjectAlternativeNames());
        byte[] same = EstRequests.withExtensions("whole-1", key(), extensions(new GeneralNames(new GeneralName[] {
            new GeneralName(GeneralName.dNSName, "a.gw.example.org"),
            new GeneralName(GeneralName.uniformResourceIdentifier, "urn:holdfast:device:development:whole-1")
        })));
        assertThat(EstCaller.renew(server, same, caller).statusCode()).isEqualTo(200);
        assertThat(Certificates.commonName(unchanged)).contains("whole-1");
    }

    /// By a profile whose pattern names the device: its own name and nobody else's, at once and at renewal.
    @Test
    void aDeviceGetsTheNameThatIsItsOwnAndNoOther() throws Exception {
        EstRequests.profile(server, "own-name", "{\"admittance\":{\"dnsNames\":[\"{id}.gw.example.org\"]}}");
        DeviceRef device = server.register("own-1");
        server.register("own-2");
        for (String foreign : List.of(
                "own-2.gw.example.org",
                "gw.example.org",
                "x.own-1.gw.example.org",
                "own-1.example.org",
                "{id}.gw.example.org",
                "*.gw.example.org")) {
            byte[] request = EstRequests.withExtensions("own-1", key(), names(foreign));
            assertRefused(enrolByOwnName(request, server.credential(device)), 403, "alternative-names-differ");
        }
        KeyPair key = key();
        X509Certificate first = EstCaller.certificate(enrolByOwnName(
                EstRequests.withExtensions("own-1", key, names("own-1.gw.example.org")), server.credential(device)));
        assertThat(first.getSubjectAlternativeNames())
                .extracting(name -> String.valueOf(name.get(1)))
                .containsExactlyInAnyOrder("urn:holdfast:device:development:own-1", "own-1.gw.example.org");
        Caller caller = new Caller(key.getPrivate(), List.of(first));
        X509Certificate next =
                EstCaller.certificate(EstCaller.renew(server, CertificationRequest.create("own-1", key()), caller));
        assertThat(next.getSubjectAlternativeNames()).containsExactlyElementsOf(first.getSubjectAlternativeNames());
    }

    private static HttpResponse<String> enrolByOwnName(byte[] request, String credential) throws Exception {
        return EstCaller.post(
                server, "own-name/simpleenroll", Base64.getEncoder().encode(request), credential, Optional.empty());
    }

    /// A gateway's certificate by ACME is named for its DNS name; renewed over EST it still is.
    @Test
    void renewalKeepsASubjectThatIsADnsName() throws Exception {
        EstRequests.profile(
                server,
                "both-ways",
                "{\"usages\":[\"tls-client\",\"tls-server\"],\"admittance\":{\"dnsNames\":[\"*.gw.example.org\"]}}");
        DeviceRef device = server.register("whole-2");
        KeyPair key = key();
        byte[] request = EstRequests.withExtensions("c.gw.example.org", key, names("c.gw.example.org"));
        X509Certificate first = ((EnrolmentOutcome.Issued) server.server()
                        .identity()
                        .enrolment()
                        .enrol(
                                request,
                                Applicant.of("test", new Credential.Account(device.id(), "account"), "192.0.2.1:1")
                                        .by("both-ways")))
                .certificate();
        assertThat(Certificates.commonName(first)).contains("c.gw.example.org");
        Caller caller = new Caller(key.getPrivate(), List.of(first));
        assertRefused(
                EstCaller.renew(server, CertificationRequest.create("whole-2", key()), caller),
                403,
                "subject-is-not-the-device");
        for (X500Name subject : List.of(new X500Name("CN=c.gw.example.org"), new X500Name(""))) {
            X509Certificate next =
                    EstCaller.certificate(EstCaller.renew(server, CertificationRequest.create(subject, key()), caller));
            assertThat(next.getSubjectX500Principal()).isEqualTo(first.getSubjectX500Principal());
            assertThat(next.getSubjectAlternativeNames()).containsExactlyElementsOf(first.getSubjectAlternativeNames());
        }
    }

    private static org.bouncycastle.asn1.x509.Extensions names(String dns) throws Exception {
        return extensions(generalNames(dns));
    }

    private static GeneralNames generalNames(String dns) {
        return new GeneralNames(new GeneralName(GeneralName.dNSName, dns));
    }

    private static org.bouncycastle.asn1.x509.Extensions extensions(GeneralNames names) throws Exception {
        ExtensionsGenerator extensions = new ExtensionsGenerator();
        extensions.addExtension(Extension.subjectAlternativeName, false, names);
        return extensions.generate();
    }
}
