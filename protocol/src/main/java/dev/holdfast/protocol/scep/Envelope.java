package dev.holdfast.protocol.scep;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.Optional;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.cms.CMSObjectIdentifiers;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.EncryptedContentInfo;
import org.bouncycastle.asn1.cms.EnvelopedData;
import org.bouncycastle.asn1.cms.IssuerAndSerialNumber;
import org.bouncycastle.asn1.cms.KeyTransRecipientInfo;
import org.bouncycastle.asn1.cms.RecipientInfo;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.CMSEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientInfoGenerator;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/// EnvelopedData (RFC 5652 section 6) for one recipient with an RSA key: AES in CBC mode, and nothing older.
///
/// Opening says the same whatever is wrong: SCEP's key transport is RSA with PKCS #1 v1.5 padding, which must
/// not be made an oracle. A padding that is wrong gives a random key, with which the content can't be read
/// either.
final class Envelope {
    private static final Map<ASN1ObjectIdentifier, Integer> CIPHERS = Map.of(
            NISTObjectIdentifiers.id_aes128_CBC, 16,
            NISTObjectIdentifiers.id_aes192_CBC, 24,
            NISTObjectIdentifiers.id_aes256_CBC, 32);
    private static final BouncyCastleProvider PROVIDER = new BouncyCastleProvider();

    private Envelope() {}

    /// @throws ScepException `badAlg` for a cipher that is not AES; `badMessageCheck` for everything else
    static byte[] open(byte[] der, PrivateKey key, X509Certificate recipient, SecureRandom random)
            throws ScepException {
        EncryptedContentInfo content;
        KeyTransRecipientInfo transport;
        try {
            ContentInfo info = ContentInfo.getInstance(ASN1Primitive.fromByteArray(der));
            if (!CMSObjectIdentifiers.envelopedData.equals(info.getContentType())) {
                throw unreadable();
            }
            EnvelopedData data = EnvelopedData.getInstance(info.getContent());
            content = data.getEncryptedContentInfo();
            transport = transport(data, recipient).orElseThrow(Envelope::unreadable);
        } catch (IOException | RuntimeException e) {
            throw unreadable();
        }
        Integer length = CIPHERS.get(content.getContentEncryptionAlgorithm().getAlgorithm());
        if (length == null
                || !PKCSObjectIdentifiers.rsaEncryption.equals(
                        transport.getKeyEncryptionAlgorithm().getAlgorithm())) {
            throw new ScepException(FailInfo.BAD_ALGORITHM, "encrypt with AES-CBC, its key with RSA (PKCS #1 v1.5)");
        }
        try {
            byte[] secret = unwrap(transport.getEncryptedKey().getOctets(), key, length, random);
            byte[] iv = ASN1OctetString.getInstance(
                            content.getContentEncryptionAlgorithm().getParameters())
                    .getOctets();
            Cipher cipher = Cipher.getInstance("AES/CBC/PKCS5Padding");
            cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(secret, "AES"), new IvParameterSpec(iv));
            return cipher.doFinal(content.getEncryptedContent().getOctets());
        } catch (GeneralSecurityException | RuntimeException e) {
            throw unreadable();
        }
    }

    private static Optional<KeyTransRecipientInfo> transport(EnvelopedData data, X509Certificate recipient) {
        for (ASN1Encodable one : data.getRecipientInfos()) {
            if (RecipientInfo.getInstance(one).getInfo() instanceof KeyTransRecipientInfo found
                    && recipient
                            .getSerialNumber()
                            .equals(IssuerAndSerialNumber.getInstance(
                                            found.getRecipientIdentifier().getId())
                                    .getSerialNumber()
                                    .getValue())) {
                return Optional.of(found);
            }
        }
        return Optional.empty();
    }

    private static byte[] unwrap(byte[] wrapped, PrivateKey key, int length, SecureRandom random)
            throws GeneralSecurityException {
        byte[] other = new byte[length];
        random.nextBytes(other);
        try {
            Cipher rsa = Cipher.getInstance("RSA/ECB/PKCS1Padding");
            rsa.init(Cipher.DECRYPT_MODE, key);
            byte[] found = rsa.doFinal(wrapped);
            return found.length == length ? found : other;
        } catch (javax.crypto.BadPaddingException | javax.crypto.IllegalBlockSizeException wrong) {
            return other;
        }
    }

    /// AES-256-CBC, for the key of this certificate.
    static byte[] seal(byte[] content, X509Certificate recipient, SecureRandom random) throws ScepException {
        try {
            CMSEnvelopedDataGenerator generator = new CMSEnvelopedDataGenerator();
            generator.addRecipientInfoGenerator(new JceKeyTransRecipientInfoGenerator(recipient).setProvider(PROVIDER));
            return generator
                    .generate(
                            new CMSProcessableByteArray(content),
                            new JceCMSContentEncryptorBuilder(CMSAlgorithm.AES256_CBC)
                                    .setProvider(PROVIDER)
                                    .setSecureRandom(random)
                                    .build())
                    .getEncoded();
        } catch (CMSException | IOException | GeneralSecurityException e) {
            throw new ScepException(FailInfo.BAD_REQUEST, "nothing can be encrypted to the requester's key");
        }
    }

    private static ScepException unreadable() {
        return new ScepException(FailInfo.BAD_MESSAGE_CHECK, "the message can't be opened");
    }
}
