package dev.holdfast.protocol.fuzz;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import dev.holdfast.protocol.acme.AccountBinding;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmeKey;
import dev.holdfast.protocol.acme.AcmePayload;
import dev.holdfast.protocol.acme.AttestationObject;
import dev.holdfast.protocol.acme.CertificateId;
import dev.holdfast.protocol.acme.PackedStatement;
import dev.holdfast.protocol.acme.SignedMessage;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.testkit.fuzz.FuzzTarget;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.util.Base64;
import java.util.List;
import org.bouncycastle.asn1.x509.KeyPurposeId;

/// ACME: signed JSON, what is in it, and attestation objects in CBOR.
final class AcmeTargets {
    private static final KeyPair KEY = StoredSeeds.key("acme", Seeds::p256);
    private static final String JWK = new ECKey.Builder(Curve.P_256, (ECPublicKey) KEY.getPublic())
            .build()
            .toJSONString();
    private static final String AUTHORIZATION = "token.thumbprint";

    private AcmeTargets() {}

    static List<FuzzTarget> all() {
        return List.of(
                new FuzzTarget(
                        "acme-message",
                        1_500,
                        AcmeTargets::message,
                        List.of(
                                signed("{\"alg\":\"ES256\",\"nonce\":\"n\",\"url\":\"u\",\"jwk\":" + JWK + "}", "{}"),
                                signed("{\"alg\":\"ES256\",\"nonce\":\"n\",\"url\":\"u\",\"kid\":\"k\"}", ""))),
                new FuzzTarget("acme-key", 1_500, AcmeTargets::key, List.of(Seeds.text(JWK))),
                new FuzzTarget("acme-payload", 3_000, AcmeTargets::payload, payloads()),
                new FuzzTarget(
                        "acme-certificate-id", 2_000, AcmeTargets::certificateId, List.of(Seeds.text("AQID.AQ"))),
                new FuzzTarget(
                        "acme-attestation",
                        1_500,
                        AcmeTargets::attestation,
                        StoredSeeds.of("acme-attestation", () -> List.of(attested()))));
    }

    private static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static byte[] signed(String header, String payload) {
        return Seeds.text("{\"protected\":\"" + encode(Seeds.text(header)) + "\",\"payload\":\""
                + encode(Seeds.text(payload)) + "\",\"signature\":\"" + encode(new byte[64]) + "\"}");
    }

    private static List<byte[]> payloads() {
        String binding = Seeds.text(signed("{\"alg\":\"HS256\",\"url\":\"u\",\"kid\":\"k\"}", JWK));
        return List.of(
                Seeds.text("{\"termsOfServiceAgreed\":true,\"contact\":[],\"externalAccountBinding\":" + binding + "}"),
                Seeds.text("{\"status\":\"deactivated\"}"),
                Seeds.text("{\"identifiers\":[{\"type\":\"dns\",\"value\":\"gw.example.org\"},"
                        + "{\"type\":\"permanent-identifier\",\"value\":\"meter-1\"}],"
                        + "\"notAfter\":\"2026-06-01T00:00:00Z\",\"replaces\":\"AQID.AQ\"}"),
                Seeds.text("{\"csr\":\"AQID\"}"),
                Seeds.text("{\"certificate\":\"AQID\",\"reason\":1}"),
                Seeds.text("{\"account\":\"a\",\"oldKey\":" + JWK + "}"),
                Seeds.text("{\"attObj\":\"AQID\"}"));
    }

    private static byte[] attested() {
        X509Certificate certificate = Seeds.certificate(KEY, "maker", KeyPurposeId.id_kp_clientAuth, false);
        CBORMapper cbor = new CBORMapper();
        ObjectNode object = cbor.createObjectNode();
        object.put("fmt", "packed");
        ObjectNode statement = object.putObject("attStmt");
        statement.put("alg", -7);
        statement.put(
                "sig",
                Crypto.sign(KEY.getPrivate(), "SHA256withECDSA", AUTHORIZATION.getBytes(StandardCharsets.UTF_8)));
        statement.putArray("x5c").add(Certificates.der(certificate));
        try {
            return cbor.writeValueAsBytes(object);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean message(byte[] input) {
        boolean taken = false;
        for (SignedMessage.Place place : SignedMessage.Place.values()) {
            try {
                SignedMessage read = SignedMessage.parse(input, place);
                taken = true;
                switch (read.sender()) {
                    case SignedMessage.Sender.ByKey by -> read.verify(by.key());
                    case SignedMessage.Sender.ById _ -> read.verify(AcmeKey.parse(JWK));
                }
            } catch (AcmeException expected) {
                Seeds.require(expected.getMessage() != null, "a refusal says why");
            }
        }
        return taken;
    }

    private static boolean key(byte[] input) throws AcmeException {
        AcmeKey read;
        try {
            read = AcmeKey.parse(new String(input, StandardCharsets.UTF_8));
        } catch (AcmeException expected) {
            return false;
        }
        Seeds.require(AcmeKey.parse(read.json()).equals(read), "parse(json(x)) = x");
        Seeds.require(AcmeKey.parse(read.json()).thumbprint().equals(read.thumbprint()), "one key has one thumbprint");
        return true;
    }

    /// One of the forms that a payload may have.
    @FunctionalInterface
    private interface Form {
        Object read(byte[] payload) throws AcmeException;
    }

    private static boolean payload(byte[] input) {
        boolean taken = false;
        for (Form form : List.<Form>of(
                AcmeTargets::account,
                AcmePayload.Update::parse,
                AcmePayload.NewOrder::parse,
                AcmePayload.Finalize::parse,
                AcmePayload.Revocation::parse,
                AcmePayload.KeyChange::parse,
                AcmePayload.Answer::parse)) {
            try {
                taken |= form.read(input) != null;
            } catch (AcmeException expected) {
                Seeds.require(expected.getMessage() != null, "a refusal says why");
            }
        }
        return taken;
    }

    private static Object account(byte[] input) throws AcmeException {
        AcmePayload.NewAccount read = AcmePayload.NewAccount.parse(input);
        if (read.binding().isPresent()) {
            SignedMessage outer = SignedMessage.parse(
                    signed("{\"alg\":\"ES256\",\"nonce\":\"n\",\"url\":\"u\",\"jwk\":" + JWK + "}", "{}"),
                    SignedMessage.Place.REQUEST);
            AccountBinding.parse(read.binding().get(), outer).isMadeWith(new byte[32]);
        }
        return read;
    }

    private static boolean certificateId(byte[] input) {
        String text = new String(input, StandardCharsets.UTF_8);
        try {
            Seeds.require(CertificateId.parse(text).text().equals(text), "one certificate has one id");
            return true;
        } catch (AcmeException expected) {
            return false;
        }
    }

    private static boolean attestation(byte[] input) {
        try {
            AttestationObject read = AttestationObject.parse(input);
            PackedStatement.verify(read, AUTHORIZATION);
            return true;
        } catch (AcmeException expected) {
            return false;
        }
    }
}
