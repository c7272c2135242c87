package dev.holdfast.protocol.x509;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1String;
import org.bouncycastle.asn1.x500.AttributeTypeAndValue;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;

/// What a request wants its certificate to say, read strictly: an extension that is critical must be
/// understood, none comes twice, and names are such that a person who reads them can't take them for others.
///
/// @param alternativeNames as `URI:...`, `DNS:...`, `IP:...` or, for kinds that never match, `tag-N:...`
record RequestedExtensions(List<String> alternativeNames, boolean wantsToBeCa) {
    private static final int MOST = 32;
    private static final int MOST_NAMES = 16;
    private static final Set<ASN1ObjectIdentifier> KNOWN = Set.of(
            Extension.subjectAlternativeName,
            Extension.basicConstraints,
            Extension.keyUsage,
            Extension.extendedKeyUsage,
            Extension.subjectKeyIdentifier);
    static final RequestedExtensions NONE = new RequestedExtensions(List.of(), false);

    RequestedExtensions {
        alternativeNames = List.copyOf(alternativeNames);
    }

    /// As [#read(Extensions)].
    static RequestedExtensions read(ASN1Primitive value) throws CertificationRequestException {
        Extensions extensions;
        try {
            extensions = Extensions.getInstance(value);
        } catch (IllegalArgumentException e) {
            throw notAccepted("an extension comes twice, or is none", e);
        }
        return read(extensions);
    }

    /// 1. One or more, none twice (RFC 5280 section 4.1: SIZE (1..MAX); section 4.2: not more than one of a
    ///    kind).
    /// 2. A critical one that we don't know is refused (section 4.2), and would not be in the certificate.
    /// 3. The values are DER with nothing after them.
    static RequestedExtensions read(Extensions extensions) throws CertificationRequestException {
        ASN1ObjectIdentifier[] types = extensions.getExtensionOIDs();
        if (types.length == 0 || types.length > MOST) {
            throw notAccepted("a list of " + types.length + " extensions is not accepted", null);
        }
        for (ASN1ObjectIdentifier type : types) {
            Extension extension = extensions.getExtension(type);
            if (extension.isCritical() && !KNOWN.contains(type)) {
                throw notAccepted("the extension " + type + " is critical and not known here", null);
            }
            if (KNOWN.contains(type)) {
                requireDer(extension);
            }
        }
        BasicConstraints constraints = BasicConstraints.fromExtensions(extensions);
        return new RequestedExtensions(names(extensions), constraints != null && constraints.isCA());
    }

    private static void requireDer(Extension extension) throws CertificationRequestException {
        byte[] octets = extension.getExtnValue().getOctets();
        try {
            if (!Arrays.equals(ASN1Primitive.fromByteArray(octets).getEncoded(ASN1Encoding.DER), octets)) {
                throw notAccepted("the value of extension " + extension.getExtnId() + " is not DER", null);
            }
        } catch (IOException e) {
            throw notAccepted("the value of extension " + extension.getExtnId() + " can't be read", e);
        }
    }

    private static List<String> names(Extensions extensions) throws CertificationRequestException {
        GeneralNames all = GeneralNames.fromExtensions(extensions, Extension.subjectAlternativeName);
        if (all == null) {
            return List.of();
        }
        if (all.getNames().length == 0 || all.getNames().length > MOST_NAMES) {
            throw notAccepted(all.getNames().length + " alternative names are not accepted", null);
        }
        List<String> names = new ArrayList<>();
        for (GeneralName name : all.getNames()) {
            names.add(
                    switch (name.getTagNo()) {
                        case GeneralName.uniformResourceIdentifier -> "URI:" + plain(name);
                        case GeneralName.dNSName -> "DNS:" + plain(name);
                        case GeneralName.iPAddress -> "IP:" + name.getName();
                        default -> "tag-" + name.getTagNo() + ":" + name.getName();
                    });
        }
        return names;
    }

    private static String plain(GeneralName name) throws CertificationRequestException {
        String text = ASN1String.class.cast(name.getName()).getString();
        requireAscii(text, "an alternative name");
        return text;
    }

    /// A subject's values have no control characters; those that say who it is (common name, serial number)
    /// are printable ASCII, because letters of other scripts look like them.
    static void requirePlain(X500Name subject) throws CertificationRequestException {
        for (RDN rdn : subject.getRDNs()) {
            for (AttributeTypeAndValue attribute : rdn.getTypesAndValues()) {
                boolean names = attribute.getType().equals(BCStyle.CN)
                        || attribute.getType().equals(BCStyle.SERIALNUMBER);
                if (attribute.getValue() instanceof ASN1String value) {
                    if (names) {
                        requireAscii(value.getString(), "a name in the subject");
                    } else if (value.getString().chars().anyMatch(c -> Character.isISOControl(c) || c == 0x7f)) {
                        throw name("the subject has control characters");
                    }
                } else if (names) {
                    throw name("a name in the subject is not text");
                }
            }
        }
    }

    private static void requireAscii(String text, String what) throws CertificationRequestException {
        if (!text.chars().allMatch(c -> c >= 0x20 && c < 0x7f)) {
            throw name(what + " is not printable ASCII");
        }
    }

    private static CertificationRequestException name(String why) {
        return new CertificationRequestException(CertificationRequestException.Reason.NAME_NOT_ACCEPTED, why);
    }

    private static CertificationRequestException notAccepted(
            String why, @org.jspecify.annotations.Nullable Exception cause) {
        return new CertificationRequestException(
                CertificationRequestException.Reason.EXTENSION_NOT_ACCEPTED, why, cause);
    }
}
