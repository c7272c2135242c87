package dev.holdfast.protocol.x509;

import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.GeneralSubtree;
import org.bouncycastle.asn1.x509.NameConstraintValidatorException;
import org.bouncycastle.asn1.x509.NameConstraints;
import org.bouncycastle.asn1.x509.PKIXNameConstraintValidator;
import org.bouncycastle.asn1.x509.TBSCertificate;

/// For which names an authority may certify at all (RFC 5280 section 4.2.1.10), whoever has its key: no DNS
/// names but those of these domains, no addresses but these, no mail addresses.
///
/// URIs stay open, because there a constraint is about the host alone, and a verifier must reject a URI without
/// one, such as a device's `urn:holdfast:device:...`; whose device a certificate is decides our record, not its
/// name.
///
/// @param dns domains with all below them; empty for no DNS names at all
/// @param addresses single IPv4 addresses; empty for none
public record NameLimits(List<String> dns, List<String> addresses) {
    private static final Pattern DOMAIN =
            Pattern.compile("(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final Pattern IPV4 = Pattern.compile("(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)(?:\\.|$)){4}");
    /// A domain that no name is ever in (RFC 6761 section 6.4): where it alone is permitted, nothing is.
    /// Verifiers differ about an empty name, which would exclude everything.
    private static final String NOWHERE = "invalid";
    private static final int V4 = 8;
    private static final int V6 = 32;

    public NameLimits {
        dns = List.copyOf(dns);
        addresses = List.copyOf(addresses);
        for (String domain : dns) {
            if (!DOMAIN.matcher(domain).matches()) {
                throw new IllegalArgumentException("not a domain: " + domain);
            }
        }
        for (String address : addresses) {
            if (!IPV4.matcher(address).matches()) {
                throw new IllegalArgumentException("not an IPv4 address: " + address);
            }
        }
    }

    /// For people who sign a paper with them.
    public String words() {
        return (dns.isEmpty() ? "no DNS names" : "DNS names in " + String.join(", ", dns)) + "; "
                + (addresses.isEmpty() ? "no addresses" : "addresses " + String.join(", ", addresses));
    }

    /// The extension's value; it is to be critical.
    public NameConstraints extension() {
        List<GeneralSubtree> permitted = new ArrayList<>();
        List<GeneralSubtree> excluded = new ArrayList<>();
        dns.forEach(domain -> permitted.add(new GeneralSubtree(new GeneralName(GeneralName.dNSName, domain))));
        if (dns.isEmpty()) {
            permitted.add(new GeneralSubtree(new GeneralName(GeneralName.dNSName, NOWHERE)));
        }
        permitted.add(new GeneralSubtree(new GeneralName(GeneralName.rfc822Name, NOWHERE)));
        addresses.forEach(address -> permitted.add(address(single(address))));
        if (addresses.isEmpty()) {
            excluded.add(address(new byte[V4]));
        }
        excluded.add(address(new byte[V6]));
        return new NameConstraints(permitted.toArray(GeneralSubtree[]::new), excluded.toArray(GeneralSubtree[]::new));
    }

    private static byte[] single(String address) {
        byte[] range = new byte[V4];
        String[] parts = address.split("\\.", -1);
        for (int i = 0; i < 4; i++) {
            range[i] = (byte) Integer.parseInt(parts[i]);
            range[i + 4] = (byte) 0xff;
        }
        return range;
    }

    private static GeneralSubtree address(byte[] range) {
        return new GeneralSubtree(new GeneralName(GeneralName.iPAddress, new DEROctetString(range)));
    }

    /// The names in what is to be signed that the authority above may not certify, in words; empty when there
    /// is none.
    static List<String> violations(X509Certificate issuer, TBSCertificate contents) {
        GeneralNames names = GeneralNames.fromExtensions(contents.getExtensions(), Extension.subjectAlternativeName);
        return violations(issuer, contents.getSubject(), names == null ? new GeneralName[0] : names.getNames());
    }

    /// Whether an authority with this certificate may certify this name, with these beside it.
    public static boolean permits(X509Certificate issuer, X500Name subject, List<GeneralName> names) {
        try {
            return violations(issuer, subject, names.toArray(GeneralName[]::new))
                    .isEmpty();
        } catch (IllegalArgumentException malformed) {
            return false;
        }
    }

    private static List<String> violations(X509Certificate issuer, X500Name subject, GeneralName[] names) {
        byte[] stored = issuer.getExtensionValue(Extension.nameConstraints.getId());
        if (stored == null) {
            return List.of();
        }
        NameConstraints limits =
                NameConstraints.getInstance(ASN1OctetString.getInstance(stored).getOctets());
        PKIXNameConstraintValidator validator = new PKIXNameConstraintValidator();
        if (limits.getPermittedSubtrees() != null) {
            validator.intersectPermittedSubtree(limits.getPermittedSubtrees());
        }
        if (limits.getExcludedSubtrees() != null) {
            for (GeneralSubtree excluded : limits.getExcludedSubtrees()) {
                validator.addExcludedSubtree(excluded);
            }
        }
        List<String> found = new ArrayList<>();
        for (GeneralName name : names) {
            try {
                validator.checkPermitted(name);
                validator.checkExcluded(name);
            } catch (NameConstraintValidatorException e) {
                found.add("the authority above may not certify the name " + name + " (section 4.2.1.10)");
            }
        }
        try {
            validator.checkPermittedDN(subject);
            validator.checkExcludedDN(subject);
        } catch (NameConstraintValidatorException e) {
            found.add("the authority above may not certify this subject (section 4.2.1.10)");
        }
        return found;
    }
}
