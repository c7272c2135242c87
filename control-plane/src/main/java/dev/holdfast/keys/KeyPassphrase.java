package dev.holdfast.keys;

import dev.holdfast.config.SecretSealing;
import dev.holdfast.protocol.pkcs8.Pbes2;
import org.jspecify.annotations.Nullable;

/// What the secrets in the data folder lie under, ready for use.
///
/// @param sealing null where no passphrase is configured: secrets lie in clear then
/// @param previous opens what was sealed under an earlier passphrase
public record KeyPassphrase(
        @Nullable Pbes2 sealing, @Nullable Pbes2 previous) {
    public static final KeyPassphrase NONE = new KeyPassphrase(null, null);

    /// For secrets that are no keys; null where they lie in clear.
    public @Nullable SecretSealing secrets() {
        return sealing == null ? null : new PassphraseSealing(sealing);
    }

    /// As [#secrets], under the earlier passphrase.
    public @Nullable SecretSealing previousSecrets() {
        return previous == null ? null : new PassphraseSealing(previous);
    }
}
