package dev.holdfast.config;

import java.util.Optional;

/// Keeps a secret so that its file alone is worth nothing.
public interface SecretSealing {
    /// What every sealed secret begins with.
    String BEGINNING = "-----BEGIN HOLDFAST SEALED SECRET-----";

    /// What is to be stored; begins with [#BEGINNING].
    byte[] seal(byte[] secret);

    /// @return empty when it was sealed otherwise, or changed
    Optional<byte[]> open(byte[] stored);
}
