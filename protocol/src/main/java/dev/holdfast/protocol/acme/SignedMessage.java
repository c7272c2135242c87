package dev.holdfast.protocol.acme;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// A JSON Web Signature in flattened JSON, as ACME has it (RFC 8555 section 6.2), read but not verified yet:
/// nothing it says counts before [#verify].
///
/// @param algorithm as the protected header names it
/// @param nonce empty exactly for the messages inside others
/// @param url what the sender meant it for
/// @param payload empty for POST-as-GET
@SuppressWarnings("ArrayRecordComponent") // never compared
public record SignedMessage(
        String algorithm,
        Sender sender,
        Optional<String> nonce,
        String url,
        byte[] payload,
        byte[] signingInput,
        byte[] signature) {

    private static final int MOST_OCTETS = 64 * 1024;
    private static final Set<String> MEMBERS = Set.of("payload", "protected", "signature");

    /// By what the sender is known: exactly one of the two.
    public sealed interface Sender {
        /// Its key, in the message.
        record ByKey(AcmeKey key) implements Sender {}

        /// The URL of its account, or the id of its external account key.
        record ById(String id) implements Sender {}
    }

    /// Where the message stands.
    public enum Place {
        /// The body of a request: has a nonce.
        REQUEST,
        /// The new key's signature within a key change (section 7.3.5): names its key, has no nonce.
        KEY_CHANGE,
        /// The external account binding (section 7.3.4): a MAC, names the external key, has no nonce.
        BINDING
    }

    /// Reads a message and holds it to the rules of its place: 1. exactly the three members of the flattened
    /// form, and no unprotected header; 2. `alg` is one used here: never `none`, and a MAC for a binding alone;
    /// 3. exactly one of `jwk` and `kid`; 4. a `nonce` in a request and nowhere else; a `url` everywhere; 5. no
    /// `crit` and no `b64`: there is no extension that is understood here (RFC 7515 section 4.1.11).
    ///
    /// @throws AcmeException with the problem
    public static SignedMessage parse(byte[] body, Place place) throws AcmeException {
        if (body.length == 0 || body.length > MOST_OCTETS) {
            throw AcmeText.malformed("a signed message of " + body.length + " octets is not accepted");
        }
        JsonNode outer = AcmeText.object(body, "the signed message");
        Set<String> members = new TreeSet<>();
        outer.fieldNames().forEachRemaining(members::add);
        if (!members.equals(MEMBERS)) {
            throw AcmeText.malformed("a signed message has 'protected', 'payload' and 'signature' and nothing else");
        }
        String encodedHeader = AcmeText.text(outer, "protected", "the signed message");
        String encodedPayload = AcmeText.text(outer, "payload", "the signed message");
        byte[] signature = AcmeText.base64url(AcmeText.text(outer, "signature", "the signed message"), "the signature");
        JsonNode header =
                AcmeText.object(AcmeText.base64url(encodedHeader, "the protected header"), "the protected header");
        return new SignedMessage(
                algorithm(header, place),
                sender(header, place),
                nonce(header, place),
                AcmeText.text(header, "url", "the protected header"),
                AcmeText.base64url(encodedPayload, "the payload"),
                (encodedHeader + "." + encodedPayload).getBytes(StandardCharsets.US_ASCII),
                signature);
    }

    private static String algorithm(JsonNode header, Place place) throws AcmeException {
        if (header.has("crit") || header.has("b64")) {
            throw AcmeText.malformed("the protected header has 'crit' or 'b64'; no extension is understood here");
        }
        String algorithm = AcmeText.text(header, "alg", "the protected header");
        boolean known = place == Place.BINDING
                ? AccountBinding.ALGORITHMS.contains(algorithm)
                : AcmeKey.ALGORITHMS.contains(algorithm);
        if (!known) {
            throw new AcmeException(
                    AcmeProblem.BAD_SIGNATURE_ALGORITHM,
                    "sign with one of "
                            + String.join(
                                    ", ", place == Place.BINDING ? AccountBinding.ALGORITHMS : AcmeKey.ALGORITHMS));
        }
        return algorithm;
    }

    private static Sender sender(JsonNode header, Place place) throws AcmeException {
        JsonNode jwk = header.get("jwk");
        Optional<String> kid = AcmeText.optionalText(header, "kid", "the protected header");
        if ((jwk != null) == kid.isPresent()) {
            throw AcmeText.malformed("the protected header has exactly one of 'jwk' and 'kid'");
        }
        if (jwk == null) {
            if (place == Place.KEY_CHANGE) {
                throw AcmeText.malformed("the inner message of a key change names the new key by 'jwk'");
            }
            return new Sender.ById(kid.orElseThrow());
        }
        if (!jwk.isObject() || place == Place.BINDING) {
            throw AcmeText.malformed("'jwk' is not as it should be here");
        }
        return new Sender.ByKey(AcmeKey.parse(jwk.toString()));
    }

    private static Optional<String> nonce(JsonNode header, Place place) throws AcmeException {
        Optional<String> nonce = AcmeText.optionalText(header, "nonce", "the protected header");
        if (nonce.isPresent() && place != Place.REQUEST) {
            throw AcmeText.malformed("a message inside another one has no nonce");
        }
        if (nonce.isEmpty() && place == Place.REQUEST) {
            throw new AcmeException(AcmeProblem.BAD_NONCE, "the protected header has no 'nonce'");
        }
        return nonce;
    }

    /// Returns when this key signed it, with the one algorithm that the key has.
    ///
    /// @throws AcmeException otherwise
    public void verify(AcmeKey key) throws AcmeException {
        if (!algorithm.equals(key.algorithm())) {
            throw new AcmeException(
                    AcmeProblem.BAD_SIGNATURE_ALGORITHM, "messages of this key are signed with " + key.algorithm());
        }
        if (!key.verify(signingInput, signature)) {
            throw AcmeText.malformed("the signature is not one of this key");
        }
    }

    public boolean isPostAsGet() {
        return payload.length == 0;
    }
}
