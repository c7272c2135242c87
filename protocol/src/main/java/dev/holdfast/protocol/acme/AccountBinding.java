package dev.holdfast.protocol.acme;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// External account binding (RFC 8555 section 7.3.4): who has a secret of ours says, with a MAC, which account
/// key is to act for whom the secret was made.
///
/// An instance has been read and fits the request around it; [#isMadeWith] says whether the MAC is right.
public final class AccountBinding {
    /// The RFC wants a MAC; which ones is ours to say.
    static final List<String> ALGORITHMS = List.of("HS256", "HS384", "HS512");

    private static final int SHORTEST_SECRET = 32;
    private final SignedMessage message;
    private final String keyId;

    private AccountBinding(SignedMessage message, String keyId) {
        this.message = message;
        this.keyId = keyId;
    }

    /// 1. the form: `alg` a MAC, `kid`, no nonce; 2. `url` is that of the request around it; 3. the payload is
    /// the account's key.
    ///
    /// @param outer the new-account request, verified
    public static AccountBinding parse(JsonNode binding, SignedMessage outer) throws AcmeException {
        SignedMessage message =
                SignedMessage.parse(binding.toString().getBytes(StandardCharsets.UTF_8), SignedMessage.Place.BINDING);
        if (!message.url().equals(outer.url())) {
            throw AcmeText.malformed("the binding's 'url' is not that of the request around it");
        }
        AcmeKey inner = AcmeKey.parse(
                AcmeText.object(message.payload(), "the binding's payload").toString());
        if (!(outer.sender() instanceof SignedMessage.Sender.ByKey by) || !inner.equals(by.key())) {
            throw AcmeText.malformed("the binding is for another key than the account's");
        }
        return switch (message.sender()) {
            case SignedMessage.Sender.ById external -> new AccountBinding(message, external.id());
            case SignedMessage.Sender.ByKey _ -> throw AcmeText.malformed("the binding names no external key");
        };
    }

    /// Which secret it says it was made with.
    public String keyId() {
        return keyId;
    }

    /// Compares in constant time; a secret of less than 32 octets is not good for it (RFC 7518 section 3.2).
    public boolean isMadeWith(byte[] secret) {
        if (secret.length < SHORTEST_SECRET) {
            return false;
        }
        String name = switch (message.algorithm()) {
            case "HS384" -> "HmacSHA384";
            case "HS512" -> "HmacSHA512";
            default -> "HmacSHA256";
        };
        try {
            Mac mac = Mac.getInstance(name);
            mac.init(new SecretKeySpec(secret, name));
            return MessageDigest.isEqual(mac.doFinal(message.signingInput()), message.signature());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(name + " is missing from this Java platform", e);
        }
    }
}
