package dev.holdfast.protocol.inspect;

import dev.holdfast.protocol.inspect.Inspected.Fact;
import dev.holdfast.protocol.inspect.Inspected.Kind;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.bouncycastle.asn1.x509.CRLNumber;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.CertificateList;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.TBSCertList;

/// A certificate revocation list in words (RFC 5280 section 5).
final class ListReading {
    private static final int SHOWN = 20;

    private ListReading() {}

    static Inspected read(byte[] der, Instant now) {
        CertificateList list = CertificateList.getInstance(der);
        Instant made = list.getThisUpdate().getDate().toInstant();
        List<Fact> facts = new ArrayList<>();
        List<String> faults = new ArrayList<>();
        facts.add(new Fact("Issued by", Phrases.name(list.getIssuer())));
        facts.add(new Fact("Made", Phrases.time(made) + ", " + Phrases.distance(made, now)));
        if (list.getNextUpdate() == null) {
            faults.add("It does not say until when it is good (RFC 5280 section 5.1.2.5).");
        } else {
            Instant next = list.getNextUpdate().getDate().toInstant();
            facts.add(new Fact("Good until", Phrases.time(next) + ", " + Phrases.distance(next, now)));
            if (now.isAfter(next)) {
                faults.add("It is out of date since " + Phrases.time(next) + ": get a new one.");
            }
        }
        if (now.isBefore(made)) {
            faults.add("It was made in the future: a clock is wrong.");
        }
        boolean delta = extensions(list.getTBSCertList().getExtensions(), facts);
        int revoked = entries(list, facts);
        facts.add(new Fact("Signed with", KeyReading.scheme(list.getSignatureAlgorithm())));
        if (KeyReading.isBroken(list.getSignatureAlgorithm())) {
            faults.add("It is signed with an algorithm that is broken.");
        }
        return new Inspected(
                Kind.REVOCATION_LIST,
                (delta ? "A delta" : "A") + " revocation list of " + Phrases.shortName(list.getIssuer()) + " with "
                        + revoked + (revoked == 1 ? " certificate." : " certificates."),
                facts,
                faults,
                Optional.empty(),
                der);
    }

    private static boolean extensions(Extensions extensions, List<Fact> facts) {
        if (extensions == null) {
            return false;
        }
        Extension number = extensions.getExtension(Extension.cRLNumber);
        if (number != null) {
            facts.add(new Fact(
                    "Number",
                    CRLNumber.getInstance(number.getParsedValue())
                            .getCRLNumber()
                            .toString()));
        }
        Extension base = extensions.getExtension(Extension.deltaCRLIndicator);
        if (base != null) {
            facts.add(new Fact(
                    "Changes since number",
                    CRLNumber.getInstance(base.getParsedValue()).getCRLNumber().toString()));
        }
        return base != null;
    }

    private static int entries(CertificateList list, List<Fact> facts) {
        int count = 0;
        for (var entries = list.getRevokedCertificateEnumeration(); entries.hasMoreElements(); ) {
            TBSCertList.CRLEntry entry = (TBSCertList.CRLEntry) entries.nextElement();
            if (count++ < SHOWN) {
                facts.add(new Fact(
                        "Revoked",
                        Phrases.serial(entry.getUserCertificate().getValue()) + " at "
                                + Phrases.time(
                                        entry.getRevocationDate().getDate().toInstant())
                                + reason(entry)));
            }
        }
        if (count > SHOWN) {
            facts.add(new Fact("Revoked", "and " + (count - SHOWN) + " more"));
        }
        return count;
    }

    private static String reason(TBSCertList.CRLEntry entry) {
        Extensions extensions = entry.getExtensions();
        Extension reason = extensions == null ? null : extensions.getExtension(Extension.reasonCode);
        return reason == null
                ? ""
                : ", "
                        + CRLReason.getInstance(reason.getParsedValue())
                                .toString()
                                .replace("CRLReason: ", "")
                                .toLowerCase(Locale.ROOT);
    }
}
