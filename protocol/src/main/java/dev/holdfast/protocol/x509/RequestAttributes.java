package dev.holdfast.protocol.x509;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1Set;
import org.bouncycastle.asn1.ASN1String;
import org.bouncycastle.asn1.pkcs.Attribute;
import org.bouncycastle.asn1.pkcs.CertificationRequestInfo;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.jspecify.annotations.Nullable;

/// The attributes of a PKCS #10 request (RFC 2986 section 4.1) that mean something here; others are not
/// looked at.
///
/// @param channelBinding what ties the request to the TLS channel it is sent by: challengePassword (RFC 7030
///     section 3.5) or, where both are there, estIdentityLinking (RFC 7894 section 3.3); base64, as it came
/// @param symmetricKeyId by which secret a key made by the server is to be encrypted (RFC 7030 section
///     4.4.1.1)
/// @param asymmetricKeyId by which public key (section 4.4.1.2)
record RequestAttributes(
        RequestedExtensions extensions,
        Optional<String> channelBinding,
        Optional<ASN1OctetString> symmetricKeyId,
        Optional<ASN1OctetString> asymmetricKeyId) {
    /// RFC 7030 section 4.4.1.1.
    static final ASN1ObjectIdentifier DECRYPT_KEY_ID = new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.2.37");

    /// Section 4.4.1.2.
    static final ASN1ObjectIdentifier ASYMMETRIC_DECRYPT_KEY_ID =
            new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.2.54");

    /// RFC 7894 section 3.3.
    static final ASN1ObjectIdentifier IDENTITY_LINKING = new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.2.58");

    private static final int MOST_KEY_ID = 64;
    private static final int MOST_BINDING = 255;

    static RequestAttributes read(CertificationRequestInfo info) throws CertificationRequestException {
        RequestedExtensions extensions = RequestedExtensions.NONE;
        String challenge = null;
        String linking = null;
        ASN1OctetString symmetric = null;
        ASN1OctetString asymmetric = null;
        Set<ASN1ObjectIdentifier> seen = new HashSet<>();
        ASN1Set all = info.getAttributes();
        for (ASN1Encodable element : all == null ? new ASN1Encodable[0] : all.toArray()) {
            Attribute attribute = Attribute.getInstance(element);
            ASN1ObjectIdentifier type = attribute.getAttrType();
            if (!seen.add(type)) {
                throw malformed("the attribute " + type + " comes twice");
            }
            if (type.equals(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest)) {
                extensions = RequestedExtensions.read(only(attribute));
            } else if (type.equals(PKCSObjectIdentifiers.pkcs_9_at_challengePassword)) {
                challenge = text(only(attribute));
            } else if (type.equals(IDENTITY_LINKING)) {
                linking = text(only(attribute));
            } else if (type.equals(DECRYPT_KEY_ID)) {
                symmetric = keyId(only(attribute));
            } else if (type.equals(ASYMMETRIC_DECRYPT_KEY_ID)) {
                asymmetric = keyId(only(attribute));
            }
        }
        return new RequestAttributes(
                extensions,
                Optional.ofNullable(linking == null ? challenge : linking),
                Optional.ofNullable(symmetric),
                Optional.ofNullable(asymmetric));
    }

    private static ASN1Primitive only(Attribute attribute) throws CertificationRequestException {
        if (attribute.getAttrValues().size() != 1) {
            throw malformed("the attribute " + attribute.getAttrType() + " has not one value");
        }
        return attribute.getAttributeValues()[0].toASN1Primitive();
    }

    private static String text(ASN1Primitive value) throws CertificationRequestException {
        if (value instanceof ASN1String string && string.getString().length() <= MOST_BINDING) {
            return string.getString();
        }
        throw malformed("a channel binding that is not text, or too long");
    }

    private static ASN1OctetString keyId(ASN1Primitive value) throws CertificationRequestException {
        @Nullable ASN1OctetString id = value instanceof ASN1OctetString octets ? octets : null;
        if (id == null || id.getOctets().length == 0 || id.getOctets().length > MOST_KEY_ID) {
            throw malformed("a key identifier that is not 1 to " + MOST_KEY_ID + " octets");
        }
        return id;
    }

    private static CertificationRequestException malformed(String why) {
        return new CertificationRequestException(CertificationRequestException.Reason.MALFORMED, why);
    }

    Optional<byte[]> symmetricKey() {
        return symmetricKeyId.map(id -> Arrays.copyOf(id.getOctets(), id.getOctets().length));
    }

    Optional<byte[]> asymmetricKey() {
        return asymmetricKeyId.map(id -> Arrays.copyOf(id.getOctets(), id.getOctets().length));
    }
}
