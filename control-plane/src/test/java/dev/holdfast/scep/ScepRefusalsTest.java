package dev.holdfast.scep;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.HostileRequests;
import dev.holdfast.HostileRequests.Hostile;
import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1PrintableString;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERPrintableString;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.CMSEnvelopedData;
import org.bouncycastle.cms.CMSEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.DefaultSignedAttributeTableGenerator;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKeyTransEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientInfoGenerator;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What SCEP refuses, and what waits, by a client of our own that also cheats.
@SuppressWarnings("JdkObsolete") // what the library takes
class ScepRefusalsTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final BouncyCastleProvider PROVIDER = new BouncyCastleProvider();
    private static final ASN1ObjectIdentifier VERISIGN = new ASN1ObjectIdentifier("2.16.840.1.113733.1.9");
    private static final Set<EnrolmentRefusal> ALGORITHM = Set.of(
            EnrolmentRefusal.KEY_WEAK,
            EnrolmentRefusal.KEY_NOT_ACCEPTED,
            EnrolmentRefusal.SIGNATURE_SCHEME_NOT_ACCEPTED);
    private static final Set<EnrolmentRefusal> MESSAGE =
            Set.of(EnrolmentRefusal.REQUEST_SIGNATURE_WRONG, EnrolmentRefusal.MALFORMED_REQUEST);
    private static final String SUCCESS = "0";
    private static final String PENDING = "3";
    private static KeyPair key;
    private static KeyPair other;
    private static TestServer server;
    private static X509Certificate ra;

    @BeforeAll
    static void start() throws Exception {
        server = TestServer.start(Map.of("HOLDFAST_SCEP_ENABLED", "true"));
        KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA", Crypto.provider());
        rsa.initialize(3072);
        key = rsa.generateKeyPair();
        other = rsa.generateKeyPair();
        ra = leaf(get("GetCACert").body());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    /// The one that is not an authority's.
    private static X509Certificate leaf(byte[] certificates) throws Exception {
        return CertificatesOnly.decode(certificates).stream()
                .filter(certificate -> certificate.getBasicConstraints() < 0)
                .findFirst()
                .orElseThrow();
    }

    private static String url(String path) {
        return "http://localhost:" + server.server().pkiPort() + path;
    }

    private static HttpResponse<byte[]> get(String operation) throws Exception {
        return send(HttpRequest.newBuilder(URI.create(url("/scep?operation=" + operation)))
                .build());
    }

    private static HttpResponse<byte[]> send(HttpRequest request) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(request, HttpResponse.BodyHandlers.ofByteArray());
        }
    }

    private static HttpResponse<byte[]> post(byte[] message) throws Exception {
        return send(HttpRequest.newBuilder(URI.create(url("/scep?operation=PKIOperation")))
                .POST(HttpRequest.BodyPublishers.ofByteArray(message))
                .build());
    }

    private static byte[] csr(String name, KeyPair pair, String password) throws Exception {
        PKCS10CertificationRequestBuilder builder = new PKCS10CertificationRequestBuilder(
                new X500Name("CN=" + name),
                SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()));
        if (!password.isEmpty()) {
            builder.addAttribute(PKCSObjectIdentifiers.pkcs_9_at_challengePassword, new DERPrintableString(password));
        }
        return builder.build(new JcaContentSignerBuilder("SHA256withRSA").build(pair.getPrivate()))
                .getEncoded();
    }

    private static X509Certificate selfSigned(KeyPair pair, BigInteger serial) throws Exception {
        X500Name name = new X500Name("CN=self");
        return Certificates.parse(new X509v3CertificateBuilder(
                        name,
                        serial,
                        Date.from(Instant.now().minus(Duration.ofHours(1))),
                        Date.from(Instant.now().plus(Duration.ofHours(1))),
                        name,
                        SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()))
                .build(new JcaContentSignerBuilder("SHA256withRSA").build(pair.getPrivate()))
                .getEncoded());
    }

    private static void put(Hashtable<ASN1ObjectIdentifier, Attribute> all, String arc, ASN1Encodable value) {
        all.put(VERISIGN.branch(arc), new Attribute(VERISIGN.branch(arc), new DERSet(value)));
    }

    private static byte[] message(
            String type,
            String transaction,
            byte[] content,
            KeyPair signer,
            X509Certificate certificate,
            ASN1ObjectIdentifier cipher,
            String scheme)
            throws Exception {
        return signed(type, transaction, sealed(content, cipher), signer, certificate, scheme);
    }

    private static byte[] sealed(byte[] content, ASN1ObjectIdentifier cipher) throws Exception {
        CMSEnvelopedDataGenerator sealer = new CMSEnvelopedDataGenerator();
        sealer.addRecipientInfoGenerator(new JceKeyTransRecipientInfoGenerator(ra).setProvider(PROVIDER));
        return sealer.generate(
                        new CMSProcessableByteArray(content),
                        new JceCMSContentEncryptorBuilder(cipher)
                                .setProvider(PROVIDER)
                                .build())
                .getEncoded();
    }

    private static byte[] signed(
            String type,
            String transaction,
            byte[] envelope,
            KeyPair signer,
            X509Certificate certificate,
            String scheme)
            throws Exception {
        Hashtable<ASN1ObjectIdentifier, Attribute> attributes = new Hashtable<>();
        put(attributes, "2", new DERPrintableString(type));
        put(attributes, "7", new DERPrintableString(transaction));
        byte[] nonce = new byte[16];
        RANDOM.nextBytes(nonce);
        put(attributes, "5", new DEROctetString(nonce));
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        generator.addSignerInfoGenerator(new JcaSimpleSignerInfoGeneratorBuilder()
                .setProvider(PROVIDER)
                .setSignedAttributeGenerator(new DefaultSignedAttributeTableGenerator(new AttributeTable(attributes)))
                .build(scheme, signer.getPrivate(), certificate));
        generator.addCertificates(new JcaCertStore(List.of(certificate)));
        return generator.generate(new CMSProcessableByteArray(envelope), true).getEncoded();
    }

    private static byte[] first(String transaction, byte[] csr) throws Exception {
        return message(
                "19", transaction, csr, key, selfSigned(key, BigInteger.ONE), CMSAlgorithm.AES128_CBC, "SHA256withRSA");
    }

    private static String attribute(CMSSignedData data, String arc) {
        Attribute found = data.getSignerInfos()
                .getSigners()
                .iterator()
                .next()
                .getSignedAttributes()
                .get(VERISIGN.branch(arc));
        return found == null
                ? ""
                : ASN1PrintableString.getInstance(found.getAttrValues().getObjectAt(0))
                        .getString();
    }

    /// `0`, `3`, or `2/` with the failInfo.
    private static String status(byte[] message) throws Exception {
        HttpResponse<byte[]> answer = post(message);
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("content-type")).contains("application/x-pki-message");
        CMSSignedData data = new CMSSignedData(answer.body());
        String status = attribute(data, "3");
        return status.equals("2") ? "2/" + attribute(data, "4") : status;
    }

    private static X509Certificate issued(byte[] message) throws Exception {
        return issued(message, key);
    }

    private static X509Certificate issued(byte[] message, KeyPair to) throws Exception {
        CMSSignedData data = new CMSSignedData(post(message).body());
        assertThat(attribute(data, "3")).isEqualTo(SUCCESS);
        byte[] content = new CMSEnvelopedData((byte[]) data.getSignedContent().getContent())
                .getRecipientInfos()
                .getRecipients()
                .iterator()
                .next()
                .getContent(new JceKeyTransEnvelopedRecipient(to.getPrivate()).setProvider(PROVIDER));
        return leaf(content);
    }

    private static String password(DeviceRef device) {
        String credential = server.credential(device);
        return credential.substring(credential.indexOf(':') + 1);
    }

    @Test
    void offersNothingOldAndAnswersOnlyWhatItKnows() throws Exception {
        String capabilities = new String(get("GetCACaps").body(), StandardCharsets.US_ASCII);
        assertThat(capabilities).contains("AES", "SHA-256").doesNotContain("DES", "SHA-1", "MD5");
        assertThat(ra.getKeyUsage()[0]).isTrue();
        assertThat(ra.getKeyUsage()[2]).isTrue();
        assertThat(ra.getBasicConstraints()).isEqualTo(-1);
        assertThat(get("PKIOperation&message=AAAA").statusCode()).isEqualTo(400);
        assertThat(get("GetNextCACert").statusCode()).isEqualTo(400);
        assertThat(post(new byte[] {1, 2, 3}).statusCode()).isEqualTo(400);
        assertThat(post(new byte[60_000]).statusCode()).isEqualTo(413);
        assertThat(send(HttpRequest.newBuilder(URI.create(url("/scep/nowhere?operation=GetCACaps")))
                                .build())
                        .statusCode())
                .isEqualTo(404);
    }

    @Test
    void refusesOldAlgorithmsOtherMessageTypesAndWrongSecrets() throws Exception {
        DeviceRef device = server.register("scep-1");
        String password = password(device);
        byte[] csr = csr("scep-1", key, password);
        X509Certificate self = selfSigned(key, BigInteger.ONE);
        assertThat(status(message("19", "t1", csr, key, self, CMSAlgorithm.DES_EDE3_CBC, "SHA256withRSA")))
                .isEqualTo("2/0");
        for (String scheme : List.of("SHA1withRSA", "MD5withRSA")) {
            assertThat(post(message("19", "t1", csr, key, self, CMSAlgorithm.AES128_CBC, scheme))
                            .statusCode())
                    .isEqualTo(400);
        }
        for (String type : List.of("21", "22", "3", "99")) {
            assertThat(post(message(type, "t1", csr, key, self, CMSAlgorithm.AES128_CBC, "SHA256withRSA"))
                            .statusCode())
                    .isEqualTo(400);
        }
        assertThat(post(first("x".repeat(65), csr)).statusCode()).isEqualTo(400);
        assertThat(status(first("t2", csr("scep-1", key, "hfe_wrong")))).isEqualTo("2/2");
        assertThat(status(first("t3", csr("scep-1", key, "")))).isEqualTo("2/2");
        assertThat(status(first("t4", csr("scep-other", key, password)))).isEqualTo("2/2");
        assertThat(status(first("t5", csr("scep-1", other, password)))).isEqualTo("2/2");

        X509Certificate certificate = issued(first("t6", csr));
        assertThat(Certificates.commonName(certificate)).contains("scep-1");
        assertThat(issued(first("t6", csr))).as("asked again: the same").isEqualTo(certificate);
        assertThat(status(message(
                        "19",
                        "t7",
                        csr("scep-1", other, password),
                        other,
                        selfSigned(other, BigInteger.ONE),
                        CMSAlgorithm.AES128_CBC,
                        "SHA256withRSA")))
                .as("the token is used up")
                .isEqualTo("2/2");
    }

    /// A recorded message, changed and signed anew: if the answer said whether the padding was right, the
    /// secret in it could be found octet by octet (Vaudenay).
    @Test
    void neverSaysWhetherWhatWasEncryptedEndsAsItShould() throws Exception {
        server.register("scep-oracle");
        byte[] content = csr("scep-oracle", key, "hfe_of-somebody");
        int padding = 16 - content.length % 16;
        if (padding == 1) {
            content = csr("scep-oracle", key, "hfe_of-somebody-else");
            padding = 16 - content.length % 16;
        }
        byte[] recorded = ContentInfo.getInstance(sealed(content, CMSAlgorithm.AES128_CBC))
                .getEncoded(ASN1Encoding.DER); // which ends with what is encrypted
        X509Certificate own = selfSigned(other, BigInteger.ONE);
        Set<String> answers = new TreeSet<>();
        for (int ending : new int[] {1, 0xff}) { // what the last octet becomes: padding, and none
            byte[] changed = recorded.clone();
            changed[changed.length - 17] ^= (byte) (padding ^ ending);
            answers.add(status(signed("19", "oracle-" + ending, changed, other, own, "SHA256withRSA")));
        }
        byte[] noRequest = sealed(new byte[] {0x30, 3, 2, 1, 1}, CMSAlgorithm.AES128_CBC);
        answers.add(status(signed("19", "oracle", noRequest, other, own, "SHA256withRSA")));
        assertThat(answers).containsExactly("2/1");
    }

    @Test
    void aRenewalIsSignedByTheVeryCertificateAndNotByOneThatSaysItsSerial() throws Exception {
        DeviceRef device = server.register("scep-2");
        KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA", Crypto.provider());
        rsa.initialize(3072);
        KeyPair own = rsa.generateKeyPair();
        KeyPair before = key;
        key = own;
        try {
            X509Certificate current = issued(first("r1", csr("scep-2", own, password(device))));
            byte[] wish = csr("scep-2", other, "");
            assertThat(status(message(
                            "17",
                            "r2",
                            wish,
                            other,
                            selfSigned(other, current.getSerialNumber()),
                            CMSAlgorithm.AES128_CBC,
                            "SHA256withRSA")))
                    .isEqualTo("2/4");
            X509Certificate next =
                    issued(message("17", "r3", wish, own, current, CMSAlgorithm.AES256_CBC, "SHA256withRSA"));
            assertThat(next.getPublicKey().getEncoded())
                    .isEqualTo(other.getPublic().getEncoded());
        } finally {
            key = before;
        }
    }

    private static void wantsAPerson(TestServer watched) {
        CertificateProfile usual = CertificateProfile.of(
                "device", CertificateProfile.Usage.TLS_CLIENT, Duration.ofDays(30), Duration.ZERO);
        watched.server()
                .ca()
                .profiles()
                .put(
                        TestServer.ENVIRONMENT,
                        new CertificateProfile(
                                "device",
                                usual.usages(),
                                usual.keys(),
                                usual.validity(),
                                usual.rotation(),
                                new CertificateProfile.Admittance(
                                        usual.admittance().credentials(),
                                        true,
                                        false,
                                        CertificateProfile.Attestation.NONE,
                                        List.of())),
                        "for tests",
                        TestServer.TESTER);
    }

    private static byte[] poll(String transaction, KeyPair by) throws Exception {
        return message(
                "20",
                transaction,
                new DERSet().getEncoded(),
                by,
                selfSigned(by, BigInteger.ONE),
                CMSAlgorithm.AES128_CBC,
                "SHA256withRSA");
    }

    private static List<String> secretsThatWait(TestServer on) {
        return on.server()
                .journal()
                .commit(tx -> tx.sql().fetch("select secret from scep_waiting").map(row -> row.get(0, String.class)));
    }

    /// The server is started again between the request and the decision: what waits is still there, for the key
    /// that asked and for no other, and the one-time secret lies sealed.
    @Test
    void aRequestThatWaitsForAPersonOutlivesARestartAndIsPolledByItsOwnKeyAlone() throws Exception {
        TestServer before = server;
        X509Certificate raBefore = ra;
        Map<String, String> settings = Map.of("HOLDFAST_SCEP_ENABLED", "true");
        TestServer watched = TestServer.start(settings);
        try {
            server = watched;
            ra = leaf(get("GetCACert").body());
            wantsAPerson(watched);
            DeviceRef device = watched.register("scep-3");
            String password = password(device);
            assertThat(status(first("w1", csr("scep-3", key, password)))).isEqualTo(PENDING);
            assertThat(status(poll("w1", key))).isEqualTo(PENDING);
            assertThat(secretsThatWait(watched))
                    .singleElement()
                    .satisfies(secret -> assertThat(secret).doesNotContain(password));

            watched.stop();
            watched = TestServer.start(watched.folder(), watched.database(), settings, InstantSource.system());
            server = watched;
            assertThat(leaf(get("GetCACert").body())).isEqualTo(ra);
            assertThat(status(poll("w1", key))).isEqualTo(PENDING);
            assertThat(status(poll("w1", other))).isEqualTo("2/4");
            assertThat(status(poll("another", key))).isEqualTo("2/4");

            var held = watched.server().identity().held();
            String id = held.list(TestServer.ENVIRONMENT, Optional.empty(), 1)
                    .getFirst()
                    .id();
            held.decide(TestServer.ENVIRONMENT, id, true, "I know it", TestServer.TESTER);
            assertThat(Certificates.commonName(issued(poll("w1", key)))).contains("scep-3");
            assertThat(secretsThatWait(watched)).isEmpty();
        } finally {
            watched.close();
            server = before;
            ra = raBefore;
        }
    }

    /// Its secret was sealed for another request, or by another installation: the device sends its request
    /// again.
    @Test
    void aSecretThatCannotBeOpenedIsAsIfNothingWaited() throws Exception {
        TestServer before = server;
        X509Certificate raBefore = ra;
        try (TestServer watched = TestServer.start(Map.of("HOLDFAST_SCEP_ENABLED", "true"))) {
            server = watched;
            ra = leaf(get("GetCACert").body());
            wantsAPerson(watched);
            byte[] csr = csr("scep-4", key, password(watched.register("scep-4")));
            assertThat(status(first("v1", csr))).isEqualTo(PENDING);
            watched.server().journal().run(tx -> tx.sql().execute("update scep_waiting set transaction = 'v2'"));
            assertThat(status(poll("v2", key))).isEqualTo("2/4");
            assertThat(status(first("v1", csr))).isEqualTo(PENDING);
            assertThat(status(poll("v1", key))).isEqualTo(PENDING);
        } finally {
            server = before;
            ra = raBefore;
        }
    }

    @Test
    void isNotThereUnlessSwitchedOn() throws Exception {
        try (TestServer plain = TestServer.start()) {
            HttpResponse<byte[]> answer = send(HttpRequest.newBuilder(
                            URI.create("http://localhost:" + plain.server().pkiPort() + "/scep?operation=GetCACaps"))
                    .build());
            assertThat(answer.statusCode()).isEqualTo(404);
        }
    }

    private static byte[] by(KeyPair own, String transaction, byte[] csr) throws Exception {
        return message(
                "19", transaction, csr, own, selfSigned(own, BigInteger.ONE), CMSAlgorithm.AES128_CBC, "SHA256withRSA");
    }

    /// What is refused at EST's door is refused at SCEP's: each request is in a message that is right, with a
    /// secret that is, and the same device gets its certificate after all of them.
    @Test
    void refusesEveryHostileRequestAndGrantsTheGoodOne() throws Exception {
        DeviceRef device = server.register("hostile-scep");
        KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA", Crypto.provider());
        rsa.initialize(3072);
        KeyPair own = rsa.generateKeyPair(); // of no other device
        HostileRequests requests = new HostileRequests("hostile-scep", own, Optional.of(password(device)));
        int number = 0;
        for (Hostile hostile : requests.all()) {
            String expected =
                    ALGORITHM.contains(hostile.reason()) ? "2/0" : MESSAGE.contains(hostile.reason()) ? "2/1" : "2/2";
            assertThat(status(by(own, "hostile-" + ++number, hostile.request())))
                    .as(hostile.name())
                    .isEqualTo(expected);
            assertThat(server.server().identity().certificates(device))
                    .as(hostile.name())
                    .isEmpty();
        }
        assertThat(Certificates.commonName(issued(by(own, "hostile-last", requests.good()), own)))
                .contains("hostile-scep");
    }

    @Test
    void refusesAKeyOfAnotherDevice() throws Exception {
        DeviceRef first = server.register("shared-1");
        DeviceRef second = server.register("shared-2");
        KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA", Crypto.provider());
        rsa.initialize(3072);
        KeyPair shared = rsa.generateKeyPair();
        issued(by(shared, "s1", csr("shared-1", shared, password(first))), shared);
        assertThat(status(by(shared, "s2", csr("shared-2", shared, password(second)))))
                .isEqualTo("2/2");
        assertThat(server.server().identity().certificates(second)).isEmpty();
    }
}
