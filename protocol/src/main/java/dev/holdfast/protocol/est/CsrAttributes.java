package dev.holdfast.protocol.est;

import dev.holdfast.protocol.x509.KeyKind;
import java.io.IOException;
import java.math.BigInteger;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERTaggedObject;
import org.bouncycastle.asn1.edec.EdECObjectIdentifiers;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.RSAPublicKey;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;

/// What a server wants to see in requests: the list of attributes and identifiers of RFC 7030 section 4.5.2
/// (with RFC 8951 section 3.2), and in it, for clients that know it, a template of the whole request (RFC
/// 9908 section 3.4).
///
/// @param kinds of keys that are certified; where it is one, requests must have it
/// @param dnsNames whether DNS names may be asked for
/// @param channelBound whether the request has to be bound to its TLS channel (RFC 7030 section 3.5)
public record CsrAttributes(Set<KeyKind> kinds, boolean dnsNames, boolean channelBound) {
    /// RFC 9908 appendix A.
    public static final ASN1ObjectIdentifier TEMPLATE = new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.2.61");

    /// RFC 9908 appendix A.
    public static final ASN1ObjectIdentifier EXTENSION_REQUEST_TEMPLATE =
            new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.2.62");

    private static final int RSA_BITS = 3_072;

    /// Those that are made everywhere first.
    private static final List<KeyKind> PREFERRED =
            List.of(KeyKind.EC_P256, KeyKind.EC_P384, KeyKind.ED25519, KeyKind.RSA, KeyKind.ML_DSA_65);

    public CsrAttributes {
        kinds = Set.copyOf(kinds);
        if (PREFERRED.stream().noneMatch(kinds::contains)) {
            throw new IllegalArgumentException("no kind of key that certificates are issued for");
        }
    }

    /// The kind of key that is proposed where several would do.
    public static KeyKind preferred(Set<KeyKind> kinds) {
        return PREFERRED.stream().filter(kinds::contains).findFirst().orElseThrow();
    }

    /// CsrAttrs ::= SEQUENCE OF AttrOrOID, in DER. In this order: the key; the signature; the channel
    /// binding; the template, which clients that know it use alone.
    public byte[] encode() {
        KeyKind proposed = preferred(kinds);
        ASN1EncodableVector all = new ASN1EncodableVector();
        all.add(key(proposed));
        all.add(signature(proposed));
        if (channelBound) {
            all.add(PKCSObjectIdentifiers.pkcs_9_at_challengePassword);
        }
        all.add(attribute(TEMPLATE, template()));
        try {
            return new DERSequence(all).getEncoded(ASN1Encoding.DER);
        } catch (IOException e) {
            throw new IllegalStateException("attributes that can't be encoded", e);
        }
    }

    /// An attribute that names the kind of key, with the curve or the length as its value (RFC 9908 section
    /// 3.2).
    private static ASN1Encodable key(KeyKind kind) {
        return switch (kind) {
            case EC_P256 -> attribute(X9ObjectIdentifiers.id_ecPublicKey, SECObjectIdentifiers.secp256r1);
            case EC_P384 -> attribute(X9ObjectIdentifiers.id_ecPublicKey, SECObjectIdentifiers.secp384r1);
            case RSA -> attribute(PKCSObjectIdentifiers.rsaEncryption, new ASN1Integer(RSA_BITS));
            case ED25519 -> EdECObjectIdentifiers.id_Ed25519;
            case ML_DSA_65 -> NISTObjectIdentifiers.id_ml_dsa_65;
            case RSA_WEAK, OTHER -> throw new IllegalArgumentException("no certificates for such keys: " + kind);
        };
    }

    private static ASN1ObjectIdentifier signature(KeyKind kind) {
        return switch (kind) {
            case EC_P256 -> X9ObjectIdentifiers.ecdsa_with_SHA256;
            case EC_P384 -> X9ObjectIdentifiers.ecdsa_with_SHA384;
            case RSA -> PKCSObjectIdentifiers.sha256WithRSAEncryption;
            case ED25519 -> EdECObjectIdentifiers.id_Ed25519;
            case ML_DSA_65 -> NISTObjectIdentifiers.id_ml_dsa_65;
            case RSA_WEAK, OTHER -> throw new IllegalArgumentException("no certificates for such keys: " + kind);
        };
    }

    /// CertificationRequestInfoTemplate: version v1; a subject of one common name that the client fills in;
    /// the key where only one kind will do; the attributes, of which a challenge password and alternative
    /// names are for the client to fill in.
    private ASN1Encodable template() {
        ASN1EncodableVector template = new ASN1EncodableVector();
        template.add(new ASN1Integer(0));
        template.add(new DERSequence(new DERSet(new DERSequence(BCStyle.CN))));
        if (kinds.size() == 1) {
            template.add(new DERTaggedObject(false, 0, publicKeyTemplate(preferred(kinds))));
        }
        ASN1EncodableVector attributes = new ASN1EncodableVector();
        if (dnsNames) {
            attributes.add(attribute(
                    EXTENSION_REQUEST_TEMPLATE, new DERSequence(new DERSequence(Extension.subjectAlternativeName))));
        }
        if (channelBound) {
            attributes.add(new DERSequence(
                    new ASN1Encodable[] {PKCSObjectIdentifiers.pkcs_9_at_challengePassword, new DERSet()}));
        }
        template.add(new DERTaggedObject(false, 1, new DERSet(attributes)));
        return new DERSequence(template);
    }

    /// Of an RSA key the length is told by a modulus of that length, which is no one's (RFC 9908 section
    /// 3.4).
    private static ASN1Encodable publicKeyTemplate(KeyKind kind) {
        return switch (kind) {
            case EC_P256 ->
                new DERSequence(
                        new AlgorithmIdentifier(X9ObjectIdentifiers.id_ecPublicKey, SECObjectIdentifiers.secp256r1));
            case EC_P384 ->
                new DERSequence(
                        new AlgorithmIdentifier(X9ObjectIdentifiers.id_ecPublicKey, SECObjectIdentifiers.secp384r1));
            case RSA -> {
                try {
                    BigInteger nobodys = BigInteger.TWO.pow(RSA_BITS - 1);
                    yield new DERSequence(new ASN1Encodable[] {
                        new AlgorithmIdentifier(
                                PKCSObjectIdentifiers.rsaEncryption, org.bouncycastle.asn1.DERNull.INSTANCE),
                        new DERBitString(new RSAPublicKey(nobodys, BigInteger.valueOf(65_537)))
                    });
                } catch (IOException e) {
                    throw new IllegalStateException("a constant that can't be encoded", e);
                }
            }
            case ED25519 -> new DERSequence(new AlgorithmIdentifier(EdECObjectIdentifiers.id_Ed25519));
            case ML_DSA_65 -> new DERSequence(new AlgorithmIdentifier(NISTObjectIdentifiers.id_ml_dsa_65));
            case RSA_WEAK, OTHER -> throw new IllegalArgumentException("no certificates for such keys: " + kind);
        };
    }

    private static DERSequence attribute(ASN1ObjectIdentifier type, ASN1Encodable value) {
        return new DERSequence(new ASN1Encodable[] {type, new DERSet(value)});
    }
}
