package dev.holdfast.est;

import static dev.holdfast.est.EstRequests.assertRefused;
import static dev.holdfast.est.EstRequests.key;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import java.math.BigInteger;
import java.net.http.HttpResponse;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.BERSequence;
import org.bouncycastle.asn1.DERBMPString;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.edec.EdECObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.CertificationRequestInfo;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.RSAPublicKey;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Requests that get nothing, whatever credential they come with: one test for each sort, over real TLS, by
/// EST. The credential is good in all of them, and still good after them.
class RequestRefusalsTest {
    private static TestServer server;
    private static String credential;

    @BeforeAll
    static void start() {
        server = TestServer.start();
        EstRequests.profile(server, "gateway", "{\"admittance\":{\"dnsNames\":[\"*.gw.example.org\"]}}");
        DeviceRef device = server.register("victim");
        credential = server.credential(device);
    }

    @AfterAll
    static void stop() throws Exception {
        assertThat(server.server().identity().certificates(TestServer.device("victim")))
                .isEmpty();
        assertThat(EstCaller.enrol(server, CertificationRequest.create("victim", key()), credential)
                        .statusCode())
                .isEqualTo(200);
        server.close();
    }

    private static HttpResponse<String> send(byte[] request) throws Exception {
        return EstCaller.enrol(server, request, credential);
    }

    private static ExtensionsGenerator extension(ASN1ObjectIdentifier type, boolean critical, ASN1Encodable value)
            throws Exception {
        ExtensionsGenerator extensions = new ExtensionsGenerator();
        extensions.addExtension(type, critical, value);
        return extensions;
    }

    /// An unsigned request around this key; its signature is beside the point.
    private static byte[] unsigned(SubjectPublicKeyInfo key, ASN1ObjectIdentifier scheme) throws Exception {
        return new org.bouncycastle.asn1.pkcs.CertificationRequest(
                        new CertificationRequestInfo(new X500Name("CN=victim"), key, new DERSet()),
                        new AlgorithmIdentifier(scheme),
                        new DERBitString(new byte[64]))
                .getEncoded("DER");
    }

    @Test
    void refusesCaTrue() throws Exception {
        byte[] request = EstRequests.withExtensions(
                "victim",
                key(),
                extension(Extension.basicConstraints, false, new BasicConstraints(true))
                        .generate());
        assertRefused(send(request), 400, "request-wants-a-ca");
    }

    @Test
    void refusesUnknownCriticalExtensionsAndPassesOverOthers() throws Exception {
        ASN1ObjectIdentifier unknown = new ASN1ObjectIdentifier("1.3.6.1.4.1.99999.1");
        byte[] critical = EstRequests.withExtensions(
                "victim",
                key(),
                extension(unknown, true, new DERUTF8String("x")).generate());
        assertRefused(send(critical), 400, "extension-not-accepted");
        byte[] constraints = EstRequests.withExtensions(
                "victim",
                key(),
                extension(Extension.nameConstraints, true, new DERSequence()).generate());
        assertRefused(send(constraints), 400, "extension-not-accepted");
        DeviceRef device = server.register("not-critical");
        byte[] request = EstRequests.withExtensions(
                "not-critical",
                key(),
                extension(unknown, false, new DERUTF8String("x")).generate());
        X509Certificate certificate =
                EstCaller.certificate(EstCaller.enrol(server, request, server.credential(device)));
        assertThat(certificate.getExtensionValue(unknown.getId())).isNull();
    }

    @Test
    void refusesEmptyExtensionSequences() throws Exception {
        assertRefused(
                send(EstRequests.withExtensions("victim", key(), new DERSequence())), 400, "extension-not-accepted");
        byte[] noNames = EstRequests.withExtensions(
                "victim",
                key(),
                extension(Extension.subjectAlternativeName, false, new GeneralNames(new GeneralName[0]))
                        .generate());
        assertThat(send(noNames).statusCode()).isEqualTo(400);
    }

    @Test
    void refusesDuplicateExtensionsAndAttributes() throws Exception {
        Extension one = new Extension(
                Extension.subjectAlternativeName,
                false,
                new GeneralNames(new GeneralName(GeneralName.dNSName, "a.example.org")).getEncoded());
        assertRefused(
                send(EstRequests.withExtensions("victim", key(), new DERSequence(new ASN1Encodable[] {one, one}))),
                400,
                "extension-not-accepted");
        KeyPair key = key();
        ASN1Encodable attribute = new DERSequence(
                new ASN1Encodable[] {PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, new DERSet(new DERSequence(one))
                });
        ASN1Encodable again = new DERSequence(new ASN1Encodable[] {
            PKCSObjectIdentifiers.pkcs_9_at_extensionRequest,
            new DERSet(extension(Extension.basicConstraints, true, new BasicConstraints(true))
                    .generate())
        });
        assertRefused(send(signed(key, new DERSet(new ASN1Encodable[] {attribute, again}))), 400, "malformed-request");
    }

    private static byte[] signed(KeyPair key, DERSet attributes) throws Exception {
        CertificationRequestInfo info = new CertificationRequestInfo(
                new X500Name("CN=victim"),
                SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()),
                attributes);
        byte[] signature = Crypto.sign(key.getPrivate(), "SHA256withECDSA", info.getEncoded("DER"));
        return new org.bouncycastle.asn1.pkcs.CertificationRequest(
                        info,
                        new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA256),
                        new DERBitString(signature))
                .getEncoded("DER");
    }

    @Test
    void refusesKeysThatAreTooShortOrWithABadExponent() throws Exception {
        BigInteger f4 = BigInteger.valueOf(65_537);
        BigInteger good = ((java.security.interfaces.RSAPublicKey)
                        Crypto.generate(KeyKind.RSA, EstCaller.RANDOM).getPublic())
                .getModulus();
        for (RSAPublicKey key : List.of(
                new RSAPublicKey(good.shiftRight(1_024).setBit(0), f4),
                new RSAPublicKey(good, BigInteger.valueOf(3)),
                new RSAPublicKey(good, BigInteger.ONE),
                new RSAPublicKey(good, f4.add(BigInteger.ONE)),
                new RSAPublicKey(good.shiftLeft(3_072).setBit(0), f4))) {
            HttpResponse<String> answer = send(unsigned(rsa(key), PKCSObjectIdentifiers.sha256WithRSAEncryption));
            assertThat(answer.statusCode()).isEqualTo(400);
            assertThat(answer.body()).containsAnyOf("key-weak", "key-not-accepted");
        }
    }

    private static SubjectPublicKeyInfo rsa(RSAPublicKey key) throws Exception {
        return new SubjectPublicKeyInfo(
                new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption, org.bouncycastle.asn1.DERNull.INSTANCE),
                key);
    }

    @Test
    void refusesKnownBadKeysWithSmallFactorsFromRocaOrWithPrimesTooNear() throws Exception {
        BigInteger f4 = BigInteger.valueOf(65_537);
        BigInteger prime = BigInteger.probablePrime(1_536, EstCaller.RANDOM);
        BigInteger small = BigInteger.valueOf(3).multiply(BigInteger.probablePrime(3_071, EstCaller.RANDOM));
        BigInteger near = prime.multiply(prime.nextProbablePrime());
        for (BigInteger modulus : List.of(small, roca(), near)) {
            assertRefused(
                    send(unsigned(rsa(new RSAPublicKey(modulus, f4)), PKCSObjectIdentifiers.sha256WithRSAEncryption)),
                    400,
                    "key-weak");
        }
    }

    /// RFC 9500's, and the number 1, as a device has it that lacks a source of randomness; the private half of
    /// each is known, so the request is signed as it should be.
    @Test
    void refusesKeysWhosePrivateHalfEverybodyHas() throws Exception {
        var curve = ((java.security.interfaces.ECPublicKey) key().getPublic()).getParams();
        var base = org.bouncycastle.jce.ECNamedCurveTable.getParameterSpec("secp256r1");
        for (BigInteger number : List.of(
                new BigInteger("e6cb5bdd80aa45ae9c95e8c15476679ffec953c16851e711e743939589c64fc1", 16),
                BigInteger.ONE)) {
            var point = base.getG().multiply(number).normalize();
            var factory = java.security.KeyFactory.getInstance("EC");
            KeyPair published = new KeyPair(
                    factory.generatePublic(new java.security.spec.ECPublicKeySpec(
                            new java.security.spec.ECPoint(
                                    point.getAffineXCoord().toBigInteger(),
                                    point.getAffineYCoord().toBigInteger()),
                            curve)),
                    factory.generatePrivate(new java.security.spec.ECPrivateKeySpec(number, curve)));
            assertRefused(send(CertificationRequest.create("victim", published)), 400, "key-weak");
        }
    }

    /// Of the form that CVE-2017-15361 gave primes, and so moduli: a power of 65537 modulo the product of
    /// small primes.
    private static BigInteger roca() {
        BigInteger product = BigInteger.ONE;
        for (BigInteger prime = BigInteger.TWO; prime.intValue() <= 701; prime = prime.nextProbablePrime()) {
            product = product.multiply(prime);
        }
        BigInteger modulus = BigInteger.valueOf(65_537).modPow(new BigInteger(200, EstCaller.RANDOM), product);
        BigInteger high = BigInteger.ONE.shiftLeft(3_071).divide(product).add(BigInteger.ONE);
        return modulus.add(high.multiply(product));
    }

    @Test
    void refusesPointsThatAreNotOnTheirCurve() throws Exception {
        byte[] point = SubjectPublicKeyInfo.getInstance(key().getPublic().getEncoded())
                .getPublicKeyData()
                .getOctets();
        byte[] off = point.clone();
        off[64] ^= 1;
        byte[] infinity = {0};
        byte[] beyond = new byte[65];
        Arrays.fill(beyond, (byte) 0xff);
        beyond[0] = 4;
        for (byte[] bad : List.of(off, infinity, beyond, new byte[65], Arrays.copyOf(point, 64))) {
            assertRefused(send(unsigned(ec(bad), X9ObjectIdentifiers.ecdsa_with_SHA256)), 400, "key-not-accepted");
        }
        byte[] ed25519 = new byte[32];
        ed25519[0] = 2; // no such y on the curve
        SubjectPublicKeyInfo none =
                new SubjectPublicKeyInfo(new AlgorithmIdentifier(EdECObjectIdentifiers.id_Ed25519), ed25519);
        HttpResponse<String> answer = send(unsigned(none, EdECObjectIdentifiers.id_Ed25519));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
    }

    private static SubjectPublicKeyInfo ec(byte[] point) {
        return new SubjectPublicKeyInfo(
                new AlgorithmIdentifier(X9ObjectIdentifiers.id_ecPublicKey, SECObjectIdentifiers.secp256r1), point);
    }

    @Test
    void refusesEd25519KeysOfSmallOrderForWhichAnybodyCanSign() throws Exception {
        for (String y : List.of(
                "0100000000000000000000000000000000000000000000000000000000000000",
                "0000000000000000000000000000000000000000000000000000000000000000",
                "0000000000000000000000000000000000000000000000000000000000000080",
                "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")) {
            SubjectPublicKeyInfo key = new SubjectPublicKeyInfo(
                    new AlgorithmIdentifier(EdECObjectIdentifiers.id_Ed25519),
                    java.util.HexFormat.of().parseHex(y));
            HttpResponse<String> answer = send(unsigned(key, EdECObjectIdentifiers.id_Ed25519));
            assertThat(answer.statusCode()).as(y).isEqualTo(400);
            assertThat(answer.body()).as(y).containsAnyOf("key-weak", "key-not-accepted");
        }
    }

    @Test
    void refusesReusedKeysInWhateverFormTheyAreWritten() throws Exception {
        DeviceRef first = server.register("reuse-1");
        KeyPair key = key();
        EstCaller.certificate(
                EstCaller.enrol(server, CertificationRequest.create("reuse-1", key), server.credential(first)));
        assertRefused(send(CertificationRequest.create("victim", key)), 403, "key-already-bound-to-another-device");
        byte[] point = SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded())
                .getPublicKeyData()
                .getOctets();
        byte[] compressed = Arrays.copyOf(point, 33);
        compressed[0] = (byte) (2 + (point[64] & 1));
        byte[] hybrid = point.clone();
        hybrid[0] = (byte) (6 + (point[64] & 1));
        for (byte[] same : List.of(compressed, hybrid)) {
            assertRefused(send(unsigned(ec(same), X9ObjectIdentifiers.ecdsa_with_SHA256)), 400, "key-not-accepted");
        }
    }

    @Test
    void refusesTrailingAndNonDerBytes() throws Exception {
        byte[] request = CertificationRequest.create("victim", key());
        assertRefused(send(Arrays.copyOf(request, request.length + 1)), 400, "malformed-request");
        var parsed = org.bouncycastle.asn1.ASN1Sequence.getInstance(request);
        byte[] ber = new BERSequence(parsed.toArray()).getEncoded();
        assertThat(ber).isNotEqualTo(request);
        assertRefused(send(ber), 400, "malformed-request");
        byte[] longLength = new byte[request.length + 1]; // a length in more octets than it needs
        longLength[0] = request[0];
        longLength[1] = (byte) 0x83;
        longLength[2] = 0;
        System.arraycopy(request, 2, longLength, 3, request.length - 2);
        assertRefused(send(longLength), 400, "malformed-request");
        byte[] inner = new GeneralNames(new GeneralName(GeneralName.dNSName, "a.example.org")).getEncoded();
        Extension trailing = new Extension(
                Extension.subjectAlternativeName, false, new DEROctetString(Arrays.copyOf(inner, inner.length + 1)));
        assertRefused(
                send(EstRequests.withExtensions("victim", key(), new DERSequence(trailing))),
                400,
                "extension-not-accepted");
        Extension indefinite = new Extension(
                Extension.subjectAlternativeName,
                false,
                new DEROctetString(
                        new BERSequence(new GeneralName(GeneralName.dNSName, "a.example.org")).getEncoded()));
        assertRefused(
                send(EstRequests.withExtensions("victim", key(), new DERSequence(indefinite))),
                400,
                "extension-not-accepted");
    }

    @Test
    void refusesOversizedBodiesAndRequests() throws Exception {
        assertThat(EstCaller.post(server, "simpleenroll", new byte[40_000], credential, Optional.empty())
                        .statusCode())
                .isEqualTo(413);
        byte[] padded = EstRequests.with(
                "victim",
                key(),
                PKCSObjectIdentifiers.pkcs_9_at_unstructuredName,
                new DERUTF8String("x".repeat(17_000)));
        assertRefused(send(padded), 400, "malformed-request");
    }

    @Test
    void refusesControlCharactersInNames() throws Exception {
        for (String name : List.of("victim\u0000.evil", "victim\n", "\u001b[31mvictim", "victim\u007f")) {
            X500Name subject = new X500NameBuilder(BCStyle.INSTANCE)
                    .addRDN(BCStyle.CN, new DERUTF8String(name))
                    .build();
            assertRefused(send(EstRequests.with(subject, key(), Map.of())), 400, "name-not-accepted");
        }
        X500Name organization = new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.CN, new DERUTF8String("victim"))
                .addRDN(BCStyle.O, new DERUTF8String("Works\r\nX: y"))
                .build();
        assertRefused(send(EstRequests.with(organization, key(), Map.of())), 400, "name-not-accepted");
        byte[] dns = EstRequests.withExtensions(
                "victim",
                key(),
                extension(
                                Extension.subjectAlternativeName,
                                false,
                                new GeneralNames(new GeneralName(GeneralName.dNSName, "a\u0000.gw.example.org")))
                        .generate());
        assertRefused(
                EstCaller.post(
                        server, "gateway/simpleenroll", Base64.getEncoder().encode(dns), credential, Optional.empty()),
                400,
                "name-not-accepted");
    }

    @Test
    void refusesLettersThatLookLikeOthers() throws Exception {
        List<X500Name> subjects = new ArrayList<>();
        for (String name : List.of("v\u0456ctim", "\uff56ictim", "victim\u200b", "\u202evictim", "vi\u0441tim")) {
            subjects.add(new X500NameBuilder(BCStyle.INSTANCE)
                    .addRDN(BCStyle.CN, new DERUTF8String(name))
                    .build());
            subjects.add(new X500NameBuilder(BCStyle.INSTANCE)
                    .addRDN(BCStyle.CN, new DERBMPString(name))
                    .build());
        }
        for (X500Name subject : subjects) {
            assertRefused(send(EstRequests.with(subject, key(), Map.of())), 400, "name-not-accepted");
        }
        byte[] another = CertificationRequest.create("vict1m", key());
        assertRefused(send(another), 403, "subject-is-not-the-device");
    }

    @Test
    void refusesSignaturesByShaOneAndSchemesThatDoNotFitTheKey() throws Exception {
        for (ASN1ObjectIdentifier scheme : List.of(
                X9ObjectIdentifiers.ecdsa_with_SHA1,
                PKCSObjectIdentifiers.sha256WithRSAEncryption,
                EdECObjectIdentifiers.id_Ed25519)) {
            byte[] request =
                    unsigned(SubjectPublicKeyInfo.getInstance(key().getPublic().getEncoded()), scheme);
            assertRefused(send(request), 400, "signature-scheme-not-accepted");
        }
    }

    @Test
    void refusesAnotherTenantsLabelAndAnotherTenantsDevice() throws Exception {
        EstRequests.profile(server, new dev.holdfast.core.Environment("staging"), "tenant-b", "{}");
        assertRefused(
                EstCaller.post(
                        server,
                        "tenant-b/simpleenroll",
                        Base64.getEncoder().encode(CertificationRequest.create("victim", key())),
                        credential,
                        Optional.empty()),
                404,
                "est-label-unknown");
        DeviceRef other = DeviceRef.of("staging", "victim");
        byte[] names = EstRequests.withExtensions(
                "victim",
                key(),
                extension(
                                Extension.subjectAlternativeName,
                                false,
                                new GeneralNames(new GeneralName(
                                        GeneralName.uniformResourceIdentifier,
                                        "urn:holdfast:device:" + other.environment() + ":victim")))
                        .generate());
        assertRefused(send(names), 403, "alternative-names-differ");
    }

    @Test
    void aCertificateNeverOutlivesItsIssuerWhateverTheProfileSays() throws Exception {
        EstRequests.profile(server, "long-lived", "{\"validity\":{\"lifetime\":\"P3660D\",\"backdated\":\"P3660D\"}}");
        DeviceRef device = server.register("long-1");
        X509Certificate certificate = EstCaller.certificate(EstCaller.post(
                server,
                "long-lived/simpleenroll",
                Base64.getEncoder().encode(CertificationRequest.create("long-1", key())),
                server.credential(device),
                Optional.empty()));
        X509Certificate issuer = server.server()
                .ca()
                .authorities()
                .devices(TestServer.ENVIRONMENT)
                .orElseThrow()
                .certificate();
        assertThat(certificate.getNotAfter()).isEqualTo(issuer.getNotAfter());
        assertThat(certificate.getNotBefore()).isEqualTo(issuer.getNotBefore());
        assertThatThrownBy(() -> EstRequests.profile(server, "too-long", "{\"validity\":{\"lifetime\":\"P4000D\"}}"))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
