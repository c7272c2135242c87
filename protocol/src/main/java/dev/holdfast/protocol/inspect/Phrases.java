package dev.holdfast.protocol.inspect;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.x500.AttributeTypeAndValue;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x500.style.IETFUtils;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;

/// How the things in certificates are said.
final class Phrases {
    private static final int LONGEST = 300;
    private static final Set<Character.UnicodeScript> USUAL =
            Set.of(Character.UnicodeScript.LATIN, Character.UnicodeScript.COMMON);

    private Phrases() {}

    /// Printable ASCII and at most [#LONGEST] characters: names come from strangers, and terminals obey them.
    static String safe(String text) {
        StringBuilder safe = new StringBuilder();
        for (int i = 0; i < text.length() && safe.length() < LONGEST; ) {
            int point = text.codePointAt(i);
            i += Character.charCount(point);
            if (point >= ' ' && point < 0x7f) {
                safe.append((char) point);
            } else {
                safe.append("\\u{").append(Integer.toHexString(point)).append('}');
            }
        }
        return safe.toString();
    }

    static String name(X500Name name) {
        return name.getRDNs().length == 0 ? "nobody (an empty name)" : safe(BCStyle.INSTANCE.toString(name));
    }

    /// The common name, else the whole.
    static String shortName(X500Name name) {
        RDN[] common = name.getRDNs(BCStyle.CN);
        return common.length == 1 && !common[0].isMultiValued()
                ? safe(IETFUtils.valueToString(common[0].getFirst().getValue()))
                : name(name);
    }

    /// What a person could be deceived by.
    static List<String> deceptions(String whose, X500Name name) {
        List<String> faults = new ArrayList<>();
        for (RDN rdn : name.getRDNs()) {
            for (AttributeTypeAndValue part : rdn.getTypesAndValues()) {
                String text = IETFUtils.valueToString(part.getValue());
                if (text.codePoints().anyMatch(Phrases::isControl)) {
                    faults.add("The " + whose + " has control characters or invisible ones.");
                } else if (text.codePoints().anyMatch(c -> !USUAL.contains(Character.UnicodeScript.of(c)))
                        && text.codePoints()
                                .anyMatch(c -> Character.UnicodeScript.of(c) == Character.UnicodeScript.LATIN)) {
                    faults.add("The " + whose + " mixes Latin letters with others that look like them: " + safe(text)
                            + ".");
                }
            }
        }
        return faults;
    }

    private static boolean isControl(int point) {
        int type = Character.getType(point);
        return type == Character.CONTROL
                || type == Character.FORMAT
                || type == Character.LINE_SEPARATOR
                || type == Character.PARAGRAPH_SEPARATOR;
    }

    static List<String> names(GeneralNames names) {
        List<String> all = new ArrayList<>();
        for (GeneralName name : names.getNames()) {
            all.add(
                    switch (name.getTagNo()) {
                        case GeneralName.uniformResourceIdentifier ->
                            "URI " + safe(name.getName().toString());
                        case GeneralName.dNSName -> "DNS " + safe(name.getName().toString());
                        case GeneralName.rfc822Name ->
                            "mail " + safe(name.getName().toString());
                        case GeneralName.iPAddress ->
                            "IP "
                                    + address(ASN1OctetString.getInstance(name.getName())
                                            .getOctets());
                        case GeneralName.directoryName -> "name " + name(X500Name.getInstance(name.getName()));
                        default -> "another kind of name (" + name.getTagNo() + ")";
                    });
        }
        return all;
    }

    private static String address(byte[] octets) {
        try {
            return java.net.InetAddress.getByAddress(octets).getHostAddress();
        } catch (java.net.UnknownHostException e) {
            return HexFormat.of().formatHex(octets);
        }
    }

    static String serial(BigInteger serial) {
        return (serial.signum() < 0 ? "-" : "") + serial.abs().toString(16);
    }

    /// `2026-12-01 08:00:00 UTC`
    static String time(Instant at) {
        return at.truncatedTo(ChronoUnit.SECONDS).toString().replace('T', ' ').replace("Z", " UTC");
    }

    /// `in 29 days`, `3 hours ago`
    static String distance(Instant at, Instant now) {
        Duration until = Duration.between(now, at);
        String amount = amount(until.abs());
        return until.isNegative() ? amount + " ago" : "in " + amount;
    }

    static String amount(Duration time) {
        if (time.toDays() >= 2) {
            return time.toDays() + " days";
        }
        if (time.toHours() >= 2) {
            return time.toHours() + " hours";
        }
        return time.toMinutes() >= 2 ? time.toMinutes() + " minutes" : time.toSeconds() + " seconds";
    }

    static String fingerprint(byte[] octets) {
        return HexFormat.of().formatHex(octets).toLowerCase(Locale.ROOT);
    }
}
