package dev.holdfast.protocol.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/// A DSSE envelope (protocol v1.0.0) as read: nothing in it is trusted yet.
///
/// @param payload decoded
@SuppressWarnings("ArrayRecordComponent") // never compared
record Envelope(String payloadType, byte[] payload, List<SignatureLine> signatures) {
    private static final int MOST_SIGNATURES = 16;

    /// @param keyId an unauthenticated hint (DSSE section "Signature definition"): never decides trust
    /// @param value decoded
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record SignatureLine(String keyId, byte[] value) {}

    /// What is signed: `PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body`.
    static byte[] preAuthenticationEncoding(String type, byte[] body) {
        byte[] typeBytes = type.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream out = new ByteArrayOutputStream(body.length + typeBytes.length + 32);
        out.writeBytes(("DSSEv1 " + typeBytes.length + " ").getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(typeBytes);
        out.writeBytes((" " + body.length + " ").getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(body);
        return out.toByteArray();
    }

    /// Unknown fields are ignored, and both base64 alphabets accepted, as DSSE demands of consumers.
    ///
    /// @throws ManifestException MALFORMED_ENVELOPE
    static Envelope parse(byte[] json) throws ManifestException {
        try {
            JsonNode root = Manifest.JSON.readTree(json);
            JsonNode lines = root.path("signatures");
            if (!root.path("payloadType").isTextual()
                    || !root.path("payload").isTextual()
                    || !lines.isArray()
                    || lines.isEmpty()
                    || lines.size() > MOST_SIGNATURES) {
                throw malformed("payloadType, payload and 1 to 16 signatures are needed");
            }
            List<SignatureLine> signatures = new ArrayList<>();
            for (JsonNode line : lines) {
                if (!line.path("sig").isTextual()) {
                    throw malformed("a signature without sig");
                }
                signatures.add(new SignatureLine(
                        line.path("keyid").asText(""), decode(line.path("sig").textValue())));
            }
            return new Envelope(
                    root.path("payloadType").textValue(),
                    decode(root.path("payload").textValue()),
                    signatures);
        } catch (IOException e) {
            throw malformed("not JSON within the bounds");
        }
    }

    byte[] json() {
        ObjectNode root = Manifest.JSON.createObjectNode();
        root.put("payloadType", payloadType);
        root.put("payload", Base64.getEncoder().encodeToString(payload));
        ArrayNode lines = root.putArray("signatures");
        for (SignatureLine line : signatures) {
            lines.addObject()
                    .put("keyid", line.keyId())
                    .put("sig", Base64.getEncoder().encodeToString(line.value()));
        }
        try {
            return Manifest.JSON.writeValueAsBytes(root);
        } catch (IOException e) {
            throw new IllegalStateException("a tree that can't be written", e);
        }
    }

    private static byte[] decode(String base64) throws ManifestException {
        try {
            return Base64.getDecoder().decode(base64.replace('-', '+').replace('_', '/'));
        } catch (IllegalArgumentException e) {
            throw malformed("not base64");
        }
    }

    private static ManifestException malformed(String detail) {
        return new ManifestException(ManifestException.Reason.MALFORMED_ENVELOPE, detail);
    }
}
