package dev.holdfast.keys;

import dev.holdfast.protocol.x509.KeyKind;
import java.io.IOException;
import java.security.PublicKey;
import java.util.Optional;
import java.util.Set;

/// Where the private keys of the authorities are: in files, or in a hardware module that never gives them out.
public interface SigningKeys {
    /// Makes a key under this name; where there is one already, of whatever kind, that one is kept.
    ///
    /// @param kind one of [#kinds]
    PublicKey create(String name, KeyKind kind) throws IOException;

    /// As [#create(String, KeyKind)], of the kind P-256.
    default PublicKey create(String name) throws IOException {
        return create(name, KeyKind.EC_P256);
    }

    Optional<PublicKey> find(String name) throws IOException;

    /// Signs with the scheme that [dev.holdfast.protocol.x509.Crypto#schemeFor] names for keys of this kind.
    ///
    /// @throws IllegalStateException when there is no such key or it can't be used now; nothing was signed
    byte[] sign(String name, byte[] message);

    /// Whether this key signs in a fraction of a millisecond and without asking another machine, so that it may be
    /// done while locks are held. False also where there is no such key.
    boolean isQuick(String name);

    /// The kinds of keys that can be made here.
    Set<KeyKind> kinds();

    /// Where an operator finds the keys, for error messages.
    String describe();
}
