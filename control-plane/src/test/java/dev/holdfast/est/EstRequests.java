package dev.holdfast.est;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.profiles.ProfileText;
import dev.holdfast.protocol.x509.Crypto;
import java.net.http.HttpResponse;
import java.security.KeyPair;
import java.util.Map;
import java.util.TreeMap;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;

/// Requests of every sort, and profiles to ask them by.
final class EstRequests {
    private EstRequests() {}

    static KeyPair key() {
        return Crypto.generateP256(EstCaller.RANDOM);
    }

    /// @param attributes by their identifiers
    static byte[] with(X500Name subject, KeyPair key, Map<ASN1ObjectIdentifier, ASN1Encodable> attributes)
            throws Exception {
        PKCS10CertificationRequestBuilder builder = new PKCS10CertificationRequestBuilder(
                subject, SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()));
        attributes.forEach(builder::addAttribute);
        return builder.build(new JcaContentSignerBuilder(Crypto.schemeFor(key.getPublic()))
                        .setProvider(Crypto.provider())
                        .build(key.getPrivate()))
                .getEncoded();
    }

    static byte[] with(String name, KeyPair key, ASN1ObjectIdentifier type, ASN1Encodable value) throws Exception {
        return with(new X500Name("CN=" + name), key, Map.of(type, value));
    }

    /// @param extensions the value of extensionRequest, as it is
    static byte[] withExtensions(String name, KeyPair key, ASN1Encodable extensions) throws Exception {
        return with(name, key, PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, extensions);
    }

    /// Sets a profile, as an operator would; what is not said is as usual.
    static CertificateProfile profile(TestServer server, Environment environment, String name, String yamlAsJson) {
        try {
            CertificateProfile profile = ProfileText.read(name, Json.tree(yamlAsJson));
            server.server().ca().profiles().put(environment, profile, "for a test", TestServer.TESTER);
            return profile;
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }

    static CertificateProfile profile(TestServer server, String name, String json) {
        return profile(server, TestServer.ENVIRONMENT, name, json);
    }

    static void assertRefused(HttpResponse<String> answer, int status, String reason) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.body()).contains("problems/" + reason + "\"");
        assertThat(answer.headers().firstValue("content-type")).contains("application/problem+json");
    }

    /// The parts of a multipart answer, by their content types.
    record Parts(Map<String, byte[]> all) {
        java.util.Set<String> types() {
            return all.keySet();
        }

        byte[] get(String type) {
            return java.util.Objects.requireNonNull(all.get(type), type);
        }
    }

    /// The parts of a multipart answer: content type to decoded octets, in order of the content types.
    static Parts parts(HttpResponse<String> answer) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        String type = answer.headers().firstValue("content-type").orElseThrow();
        assertThat(type).startsWith("multipart/mixed; boundary=");
        String boundary = type.substring(type.indexOf('=') + 1);
        Map<String, byte[]> parts = new TreeMap<>();
        for (String part : answer.body().split("--" + boundary, -1)) {
            int head = part.indexOf("\r\n\r\n");
            if (head > 0) {
                String partType = part.substring(0, head)
                        .lines()
                        .filter(l -> l.startsWith("Content-Type: "))
                        .findFirst()
                        .orElseThrow()
                        .substring("Content-Type: ".length());
                assertThat(part.substring(0, head)).contains("Content-Transfer-Encoding: base64");
                parts.put(
                        partType,
                        java.util.Base64.getMimeDecoder()
                                .decode(part.substring(head).strip()));
            }
        }
        return new Parts(parts);
    }
}
