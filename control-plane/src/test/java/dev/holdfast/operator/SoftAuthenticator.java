package dev.holdfast.operator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.fasterxml.jackson.dataformat.cbor.CBORGenerator;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;

/// An authenticator in software, for WebAuthn level 2: what a browser and a security key do together. It can be told
/// to cheat.
final class SoftAuthenticator {
    private static final Base64.Encoder BASE64URL = Base64.getUrlEncoder().withoutPadding();
    private static final int USER_PRESENT = 0x01;
    private static final int USER_VERIFIED = 0x04;
    private static final int ATTESTED = 0x40;

    private final KeyPair keys;
    /// Long, and beginning with a dash in base64url, as its maker may choose.
    private final byte[] id = new byte[200];
    private byte[] userHandle = {};
    private int counter;
    String origin;
    String rpId = "localhost";
    boolean verifiesUser = true;
    boolean signsWrongly;

    SoftAuthenticator(String origin) {
        this.origin = origin;
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            keys = generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
        new SecureRandom().nextBytes(id);
        id[0] = (byte) 0xfb;
    }

    /// `navigator.credentials.create(options)`, then `toJSON()`.
    ObjectNode create(JsonNode options) throws IOException {
        userHandle = Base64.getUrlDecoder().decode(options.at("/user/id").asText());
        byte[] client = clientData("webauthn.create", options.get("challenge").asText());
        ByteArrayOutputStream attested = new ByteArrayOutputStream();
        attested.write(new byte[16]);
        attested.write(ByteBuffer.allocate(2).putShort((short) id.length).array());
        attested.write(id);
        attested.write(coseKey());
        byte[] data = authenticatorData(ATTESTED, attested.toByteArray());
        ObjectMapper cbor = new ObjectMapper(new CBORFactory());
        ObjectNode object = cbor.createObjectNode();
        object.put("fmt", "none");
        object.putObject("attStmt");
        object.put("authData", data);
        ObjectNode credential = credential();
        credential
                .putObject("response")
                .put("clientDataJSON", BASE64URL.encodeToString(client))
                .put("attestationObject", BASE64URL.encodeToString(cbor.writeValueAsBytes(object)))
                .putArray("transports")
                .add("internal");
        return credential;
    }

    /// `navigator.credentials.get(options)`, then `toJSON()`.
    ObjectNode get(JsonNode options) throws GeneralSecurityException {
        byte[] client = clientData("webauthn.get", options.get("challenge").asText());
        byte[] data = authenticatorData(0, new byte[0]);
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(keys.getPrivate());
        signature.update(data);
        signature.update(Digest.of(client).bytes());
        if (signsWrongly) {
            signature.update((byte) 1);
        }
        ObjectNode credential = credential();
        credential
                .putObject("response")
                .put("clientDataJSON", BASE64URL.encodeToString(client))
                .put("authenticatorData", BASE64URL.encodeToString(data))
                .put("signature", BASE64URL.encodeToString(signature.sign()))
                .put("userHandle", BASE64URL.encodeToString(userHandle));
        return credential;
    }

    private ObjectNode credential() {
        ObjectNode credential = Json.mapper().createObjectNode();
        credential.put("id", BASE64URL.encodeToString(id));
        credential.put("rawId", BASE64URL.encodeToString(id));
        credential.put("type", "public-key");
        credential.put("authenticatorAttachment", "platform");
        credential.putObject("clientExtensionResults");
        return credential;
    }

    private byte[] clientData(String type, String challenge) {
        ObjectNode client = Json.mapper().createObjectNode();
        client.put("type", type)
                .put("challenge", challenge)
                .put("origin", origin)
                .put("crossOrigin", false);
        return Json.bytes(client);
    }

    private byte[] authenticatorData(int flags, byte[] rest) {
        counter++;
        return ByteBuffer.allocate(37 + rest.length)
                .put(Digest.of(rpId.getBytes(StandardCharsets.UTF_8)).bytes())
                .put((byte) (flags | USER_PRESENT | (verifiesUser ? USER_VERIFIED : 0)))
                .putInt(counter)
                .put(rest)
                .array();
    }

    /// COSE_Key (RFC 9052): EC2, ES256, P-256.
    private byte[] coseKey() throws IOException {
        ECPublicKey key = (ECPublicKey) keys.getPublic();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (CBORGenerator cbor = new CBORFactory().createGenerator(out)) {
            cbor.writeStartObject(5);
            cbor.writeFieldId(1);
            cbor.writeNumber(2);
            cbor.writeFieldId(3);
            cbor.writeNumber(-7);
            cbor.writeFieldId(-1);
            cbor.writeNumber(1);
            cbor.writeFieldId(-2);
            cbor.writeBinary(octets(key.getW().getAffineX()));
            cbor.writeFieldId(-3);
            cbor.writeBinary(octets(key.getW().getAffineY()));
            cbor.writeEndObject();
        }
        return out.toByteArray();
    }

    private static byte[] octets(BigInteger number) {
        byte[] bytes = number.toByteArray();
        byte[] fixed = new byte[32];
        int count = Math.min(32, bytes.length);
        System.arraycopy(bytes, bytes.length - count, fixed, 32 - count, count);
        return fixed;
    }
}
