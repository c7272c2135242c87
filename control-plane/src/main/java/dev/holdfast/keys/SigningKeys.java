package dev.holdfast.keys;

import java.io.IOException;
import java.security.PublicKey;
import java.util.Optional;

/// Where the private keys of the authorities are: in files, or in a hardware module that never gives them out.
public interface SigningKeys {
    /// Makes a P-256 key under this name; where there is one already, that one is kept.
    PublicKey create(String name) throws IOException;

    Optional<PublicKey> find(String name) throws IOException;

    /// Signs with ECDSA and SHA-256.
    ///
    /// @throws IllegalStateException when there is no such key or it can't be used
    byte[] sign(String name, byte[] message);

    /// Where an operator finds the keys, for error messages.
    String describe();
}
