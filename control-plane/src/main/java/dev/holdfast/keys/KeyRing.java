package dev.holdfast.keys;

import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.protocol.x509.KeyKind;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;

/// The private keys of this installation.
///
/// @param files the keys of our own listeners, which TLS needs in memory, and of authorities where there is no
///     token
/// @param authorities the keys that sign certificates, lists and answers
/// @param kind of the keys of authorities that are made from now on
public record KeyRing(FileKeyStore files, SigningKeys authorities, KeyKind kind) {
    /// @param folder of mode 0700
    /// @throws ConfigurationException when the passphrase is not right, or the token can't be used
    public static KeyRing open(
            Path folder, Configuration.KeySettings settings, KeyPassphrase passphrase, SecureRandom random)
            throws ConfigurationException, IOException {
        FileKeyStore files = FileKeyStore.open(folder, passphrase, random);
        SigningKeys authorities =
                settings.pkcs11().library() == null ? files : new TokenThenFiles(Pkcs11KeyStore.open(settings), files);
        KeyKind kind = KeyKind.parse(settings.authorityKind())
                .filter(authorities.kinds()::contains)
                .orElseThrow(() -> new ConfigurationException("keys.authorityKind: '" + settings.authorityKind()
                        + "' is none of "
                        + authorities.kinds().stream().map(KeyKind::text).toList()));
        return new KeyRing(files, authorities, kind);
    }
}
