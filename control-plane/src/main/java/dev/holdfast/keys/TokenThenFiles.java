package dev.holdfast.keys;

import dev.holdfast.protocol.x509.KeyKind;
import java.io.IOException;
import java.security.PublicKey;
import java.util.Optional;
import java.util.Set;

/// New keys on the token; those that were made in files before there was a token stay usable until their
/// authorities are replaced by a rollover.
final class TokenThenFiles implements SigningKeys {
    private final SigningKeys token;
    private final SigningKeys files;

    TokenThenFiles(SigningKeys token, SigningKeys files) {
        this.token = token;
        this.files = files;
    }

    @Override
    public PublicKey create(String name, KeyKind kind) throws IOException {
        Optional<PublicKey> known = files.find(name);
        return known.isPresent() ? known.get() : token.create(name, kind);
    }

    @Override
    public Optional<PublicKey> find(String name) throws IOException {
        Optional<PublicKey> known = token.find(name);
        return known.isPresent() ? known : files.find(name);
    }

    @Override
    public byte[] sign(String name, byte[] message) {
        try {
            return isInFile(name) ? files.sign(name, message) : token.sign(name, message);
        } catch (IOException e) {
            throw new IllegalStateException("key " + name + " can't be used", e);
        }
    }

    @Override
    public boolean isQuick(String name) {
        try {
            return isInFile(name) && files.isQuick(name);
        } catch (IOException e) {
            return false;
        }
    }

    private boolean isInFile(String name) throws IOException {
        return token.find(name).isEmpty() && files.find(name).isPresent();
    }

    @Override
    public Set<KeyKind> kinds() {
        return token.kinds();
    }

    @Override
    public String describe() {
        return token.describe() + " nor in " + files.describe();
    }
}
