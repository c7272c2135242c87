package dev.holdfast.keys;

import dev.holdfast.config.SecretSealing;
import dev.holdfast.protocol.pkcs8.Pbes2;
import dev.holdfast.protocol.pkcs8.SealedFormatException;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.protocol.x509.X509FormatException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/// Secrets under the passphrase of the keys, in the same form, as PEM with a label of our own.
final class PassphraseSealing implements SecretSealing {
    private static final String LABEL = "HOLDFAST SEALED SECRET";
    private final Pbes2 passphrase;

    PassphraseSealing(Pbes2 passphrase) {
        this.passphrase = passphrase;
    }

    @Override
    public byte[] seal(byte[] secret) {
        return Pem.encode(LABEL, passphrase.seal(secret)).getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public Optional<byte[]> open(byte[] stored) {
        try {
            List<byte[]> sealed = Pem.decode(LABEL, new String(stored, StandardCharsets.US_ASCII));
            return sealed.size() == 1 ? Optional.of(passphrase.open(sealed.getFirst())) : Optional.empty();
        } catch (X509FormatException | SealedFormatException damagedOrAnother) {
            return Optional.empty();
        }
    }
}
