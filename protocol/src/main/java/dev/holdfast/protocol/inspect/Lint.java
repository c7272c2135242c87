package dev.holdfast.protocol.inspect;

import dev.holdfast.protocol.inspect.Inspected.Kind;
import dev.holdfast.protocol.x509.CertificateLint;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.X509FormatException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.asn1.x509.Certificate;
import org.bouncycastle.asn1.x509.TBSCertificate;
import org.jspecify.annotations.Nullable;

/// Holds what a file holds to the rules by which our own certificates are made: what an inspection finds, and
/// what [CertificateLint] says before we sign. Time alone is no fault here: an expired certificate may be a
/// well-made one.
public final class Lint {
    private Lint() {}

    /// @param found of [Inspection#read]
    /// @return for each, in the same order, its faults
    public static List<List<String>> faults(List<Inspected> found) {
        return found.stream().map(one -> faults(one, found)).toList();
    }

    private static List<String> faults(Inspected one, List<Inspected> found) {
        List<String> faults = new ArrayList<>(one.faults().stream()
                .filter(fault -> !fault.startsWith("It has expired") && !fault.startsWith("It is not valid yet"))
                .toList());
        if (one.kind() == Kind.CERTIFICATE) {
            faults.addAll(ours(one, found));
        }
        return faults;
    }

    private static List<String> ours(Inspected one, List<Inspected> found) {
        try {
            TBSCertificate contents = Certificate.getInstance(one.der()).getTBSCertificate();
            if (contents.getIssuer().equals(contents.getSubject())) {
                return CertificateLint.check(contents, null);
            }
            X509Certificate issuer = issuer(contents, found);
            return issuer == null ? CertificateLint.checkAlone(contents) : CertificateLint.check(contents, issuer);
        } catch (RuntimeException e) {
            return List.of("an extension can't be read: " + Phrases.safe(String.valueOf(e.getMessage())));
        }
    }

    private static @Nullable X509Certificate issuer(TBSCertificate contents, List<Inspected> found) {
        for (Inspected other : found) {
            if (other.kind() == Kind.CERTIFICATE
                    && Certificate.getInstance(other.der()).getSubject().equals(contents.getIssuer())) {
                try {
                    return Certificates.parse(other.der());
                } catch (X509FormatException e) {
                    return null;
                }
            }
        }
        return null;
    }
}
