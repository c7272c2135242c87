package dev.holdfast.protocol.scep;

import dev.holdfast.protocol.cms.CertificatesOnly;
import java.io.IOException;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.Hashtable;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERPrintableString;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSAbsentContent;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.DefaultSignedAttributeTableGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/// CertRep (RFC 8894 section 3.3.2), signed by the registration authority with SHA-256.
///
/// @param key and certificate of the registration authority
public record ScepReply(PrivateKey key, X509Certificate certificate, SecureRandom random) {
    private static final String CERT_REP = "3";
    private static final BouncyCastleProvider PROVIDER = new BouncyCastleProvider();

    /// The certificate and what is above it, encrypted to the key that signed the request.
    ///
    /// @throws ScepException when nothing can be encrypted to that key
    public byte[] success(ScepRequest request, List<X509Certificate> chain) throws ScepException {
        return sign(request, "0", "", Envelope.seal(CertificatesOnly.encode(chain), request.signer(), random));
    }

    public byte[] failure(ScepRequest request, FailInfo info) {
        return sign(request, "2", info.code(), new byte[0]);
    }

    public byte[] pending(ScepRequest request) {
        return sign(request, "3", "", new byte[0]);
    }

    @SuppressWarnings("JdkObsolete") // what the library takes
    private byte[] sign(ScepRequest request, String status, String failInfo, byte[] content) {
        Hashtable<ASN1ObjectIdentifier, Attribute> attributes = new Hashtable<>();
        put(attributes, ScepAttributes.MESSAGE_TYPE, new DERPrintableString(CERT_REP));
        put(attributes, ScepAttributes.PKI_STATUS, new DERPrintableString(status));
        put(attributes, ScepAttributes.TRANSACTION_ID, new DERPrintableString(request.transactionId()));
        put(attributes, ScepAttributes.RECIPIENT_NONCE, new DEROctetString(request.senderNonce()));
        byte[] nonce = new byte[16];
        random.nextBytes(nonce);
        put(attributes, ScepAttributes.SENDER_NONCE, new DEROctetString(nonce));
        if (!failInfo.isEmpty()) {
            put(attributes, ScepAttributes.FAIL_INFO, new DERPrintableString(failInfo));
        }
        try {
            CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
            // RFC 3370 section 3.2: named by the key's algorithm alone, which every client understands.
            generator.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(
                            new JcaDigestCalculatorProviderBuilder()
                                    .setProvider(PROVIDER)
                                    .build(),
                            _ -> new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption, DERNull.INSTANCE))
                    .setSignedAttributeGenerator(
                            new DefaultSignedAttributeTableGenerator(new AttributeTable(attributes)))
                    .build(
                            new JcaContentSignerBuilder("SHA256withRSA")
                                    .setProvider(PROVIDER)
                                    .build(key),
                            certificate));
            generator.addCertificates(new JcaCertStore(List.of(certificate)));
            return generator
                    .generate(content.length == 0 ? new CMSAbsentContent() : new CMSProcessableByteArray(content), true)
                    .getEncoded();
        } catch (CMSException | OperatorCreationException | CertificateEncodingException | IOException e) {
            throw new IllegalStateException("an answer that can't be signed", e);
        }
    }

    private static void put(
            Hashtable<ASN1ObjectIdentifier, Attribute> attributes, ASN1ObjectIdentifier type, ASN1Encodable value) {
        attributes.put(type, new Attribute(type, new DERSet(value)));
    }
}
