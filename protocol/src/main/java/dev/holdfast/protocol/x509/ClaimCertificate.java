package dev.holdfast.protocol.x509;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.Locale;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x509.TBSCertificate;
import org.bouncycastle.asn1.x509.Time;
import org.bouncycastle.asn1.x509.V3TBSCertificateGenerator;

/// The certificate that a batch of devices shares for claiming its own: signed by its own key and by nobody
/// else's, so that no chain leads from it to any authority, and it counts only where somebody knows it by
/// itself.
public final class ClaimCertificate {
    private ClaimCertificate() {}

    /// @param batch its subject's name
    /// @param serial positive, at most 20 octets
    public static X509Certificate make(String batch, KeyPair key, BigInteger serial, Instant from, Instant until) {
        try {
            X500Name name = new X500NameBuilder(BCStyle.INSTANCE)
                    .addRDN(BCStyle.OU, new DERUTF8String("CLAIM"))
                    .addRDN(BCStyle.CN, new DERUTF8String(batch))
                    .build();
            String scheme = Crypto.schemeFor(key.getPublic());
            ExtensionsGenerator extensions = new ExtensionsGenerator();
            extensions.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            extensions.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
            extensions.addExtension(
                    Extension.extendedKeyUsage, true, new ExtendedKeyUsage(KeyPurposeId.id_kp_clientAuth));
            V3TBSCertificateGenerator generator = new V3TBSCertificateGenerator();
            generator.setSerialNumber(new ASN1Integer(serial));
            generator.setSignature(SignatureSchemes.identifier(scheme));
            generator.setIssuer(name);
            generator.setStartDate(new Time(Date.from(from), Locale.ROOT));
            generator.setEndDate(new Time(Date.from(until), Locale.ROOT));
            generator.setSubject(name);
            generator.setSubjectPublicKeyInfo(
                    SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()));
            generator.setExtensions(extensions.generate());
            TBSCertificate contents = generator.generateTBSCertificate();
            ASN1EncodableVector all = new ASN1EncodableVector();
            all.add(contents);
            all.add(SignatureSchemes.identifier(scheme));
            all.add(new DERBitString(Crypto.sign(key.getPrivate(), scheme, contents.getEncoded(ASN1Encoding.DER))));
            return Certificates.parse(new DERSequence(all).getEncoded(ASN1Encoding.DER));
        } catch (IOException | GeneralSecurityException | X509FormatException e) {
            throw new IllegalStateException("a claim certificate that can't be made", e);
        }
    }
}
