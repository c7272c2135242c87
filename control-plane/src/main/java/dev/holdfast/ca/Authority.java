package dev.holdfast.ca;

import dev.holdfast.core.Environment;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;

/// A certification authority of this installation.
///
/// @param id its name in URLs of CRLs and certificates, such as `device-production-1`
/// @param environment whose devices it certifies; empty for the root and the authority of our own listeners
/// @param above the certificates above it, nearest first, the root last; empty for a root
/// @param keyName under which [dev.holdfast.keys.SigningKeys] has its private key
/// @param development issued before a host name and a root ceremony were recorded; its subject says so too
public record Authority(
        String id,
        Purpose purpose,
        Optional<Environment> environment,
        int generation,
        X509Certificate certificate,
        List<X509Certificate> above,
        String keyName,
        boolean development) {

    public enum Purpose {
        ROOT,
        DEVICE,
        SERVER;

        String text() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }

        static Purpose of(String text) {
            return valueOf(text.toUpperCase(java.util.Locale.ROOT));
        }
    }

    public Authority {
        above = List.copyOf(above);
    }
}
