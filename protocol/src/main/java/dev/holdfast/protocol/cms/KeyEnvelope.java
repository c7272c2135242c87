package dev.holdfast.protocol.cms;

import dev.holdfast.protocol.x509.Crypto;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.List;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.CMSEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.RecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKEKRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientInfoGenerator;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/// A private key on its way to the device it was made for: an asymmetric key package (RFC 5958), signed by
/// who made it, encrypted to the device (RFC 7030 section 4.4.2). AES-256 throughout.
public final class KeyEnvelope {
    private static final ASN1ObjectIdentifier KEY_PACKAGE = new ASN1ObjectIdentifier("2.16.840.1.101.2.1.2.78.5");
    private static final BouncyCastleProvider BC = new BouncyCastleProvider();

    private KeyEnvelope() {}

    /// Who made the key and signs for it.
    public record Signer(PrivateKey key, List<X509Certificate> chain) {
        public Signer {
            chain = List.copyOf(chain);
        }

        @Override
        public String toString() {
            return "Signer[" + chain.getFirst().getSubjectX500Principal() + "]";
        }
    }

    /// For whom.
    @SuppressWarnings("ArrayRecordComponent") // nobody compares these
    public sealed interface Recipient {
        /// @param id under which the device knows the secret
        /// @param secret 32 octets
        record Secret(byte[] id, byte[] secret) implements Recipient {
            @Override
            public String toString() {
                return "Secret[...]";
            }
        }

        /// @param id the identifier of the device's key
        /// @param key EC (key agreement) or RSA (key transport by OAEP)
        record Key(byte[] id, PublicKey key) implements Recipient {}
    }

    /// Whether something can be encrypted to this key.
    public static boolean canEncryptTo(PublicKey key) {
        return key instanceof ECPublicKey || key instanceof RSAPublicKey;
    }

    /// @param made the private key, which is in the answer and nowhere else
    /// @return ContentInfo with EnvelopedData, DER
    public static byte[] seal(PrivateKey made, Signer signer, Recipient recipient, SecureRandom random) {
        try {
            CMSEnvelopedDataGenerator envelope = new CMSEnvelopedDataGenerator();
            envelope.addRecipientInfoGenerator(recipient(recipient, random));
            return envelope.generate(
                            new CMSProcessableByteArray(
                                    org.bouncycastle.asn1.cms.CMSObjectIdentifiers.signedData, signed(made, signer)),
                            new JceCMSContentEncryptorBuilder(CMSAlgorithm.AES256_CBC)
                                    .setProvider(BC)
                                    .setSecureRandom(random)
                                    .build())
                    .toASN1Structure()
                    .getEncoded(ASN1Encoding.DER);
        } catch (CMSException | IOException | GeneralSecurityException | OperatorCreationException e) {
            throw new IllegalStateException("a key that can't be sealed", e);
        }
    }

    /// The SignedData itself, without the ContentInfo around it: the type is the envelope's content type.
    private static byte[] signed(PrivateKey made, Signer signer)
            throws CMSException, IOException, GeneralSecurityException, OperatorCreationException {
        byte[] keyPackage = new DERSequence(PrivateKeyInfo.getInstance(made.getEncoded())).getEncoded(ASN1Encoding.DER);
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        generator.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(
                        new JcaDigestCalculatorProviderBuilder().setProvider(BC).build())
                .build(
                        new JcaContentSignerBuilder(Crypto.schemeFor(
                                        signer.chain().getFirst().getPublicKey()))
                                .setProvider(Crypto.provider())
                                .build(signer.key()),
                        signer.chain().getFirst()));
        generator.addCertificates(new JcaCertStore(signer.chain()));
        return generator
                .generate(new CMSProcessableByteArray(KEY_PACKAGE, keyPackage), true)
                .toASN1Structure()
                .getContent()
                .toASN1Primitive()
                .getEncoded(ASN1Encoding.DER);
    }

    private static RecipientInfoGenerator recipient(Recipient recipient, SecureRandom random)
            throws GeneralSecurityException, CMSException {
        return switch (recipient) {
            case Recipient.Secret by ->
                new JceKEKRecipientInfoGenerator(by.id(), new SecretKeySpec(by.secret(), "AES")).setProvider(BC);
            case Recipient.Key by
            when by.key() instanceof ECPublicKey ec -> {
                KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", BC);
                generator.initialize(ec.getParams(), random);
                KeyPair ephemeral = generator.generateKeyPair();
                yield new JceKeyAgreeRecipientInfoGenerator(
                                CMSAlgorithm.ECDH_SHA256KDF,
                                ephemeral.getPrivate(),
                                ephemeral.getPublic(),
                                CMSAlgorithm.AES256_WRAP)
                        .addRecipient(by.id(), by.key())
                        .setProvider(BC);
            }
            case Recipient.Key by ->
                new JceKeyTransRecipientInfoGenerator(
                                by.id(),
                                new org.bouncycastle.operator.jcajce.JcaAlgorithmParametersConverter()
                                        .getAlgorithmIdentifier(
                                                org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers.id_RSAES_OAEP,
                                                new javax.crypto.spec.OAEPParameterSpec(
                                                        "SHA-256",
                                                        "MGF1",
                                                        java.security.spec.MGF1ParameterSpec.SHA256,
                                                        javax.crypto.spec.PSource.PSpecified.DEFAULT)),
                                by.key())
                        .setProvider(BC);
        };
    }
}
