package dev.holdfast.protocol.scep;

import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.X509FormatException;
import java.io.IOException;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPublicKey;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1PrintableString;
import org.bouncycastle.asn1.ASN1Set;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.OperatorCreationException;

/// A request (pkiMessage, RFC 8894 section 3) whose signature has been verified with the certificate in it.
/// Whose certificate that is remains to be asked; its content is opened by [#open].
///
/// @param signer whose key signed it: self-signed for a first certificate, the certificate to be renewed
///     otherwise
@SuppressWarnings("ArrayRecordComponent") // never compared
public record ScepRequest(
        MessageType type, String transactionId, byte[] senderNonce, X509Certificate signer, byte[] envelope) {
    private static final int MOST_OCTETS = 48 * 1024;
    private static final Set<ASN1ObjectIdentifier> DIGESTS =
            Set.of(NISTObjectIdentifiers.id_sha256, NISTObjectIdentifiers.id_sha384, NISTObjectIdentifiers.id_sha512);
    private static final BouncyCastleProvider PROVIDER = new BouncyCastleProvider();

    /// In this order: 1. size and form, one signer and its certificate, an RSA key of 2048 to 4096 bits
    /// (answers are encrypted to it); 2. SHA-256 or better; 3. the signature; 4. the message type is one that
    /// is taken; 5. a transaction id of 1 to 64 printable characters and a nonce of 16 octets.
    ///
    /// @throws ScepException for anything else
    public static ScepRequest parse(byte[] der) throws ScepException {
        if (der.length == 0 || der.length > MOST_OCTETS) {
            throw bad("a message of " + der.length + " octets is not accepted");
        }
        try {
            CMSSignedData data = new CMSSignedData(der);
            Collection<SignerInformation> signers = data.getSignerInfos().getSigners();
            if (signers.size() != 1 || data.getSignedContent() == null) {
                throw bad("a message has one signer and a content");
            }
            SignerInformation info = signers.iterator().next();
            X509Certificate signer = signer(data, info);
            if (!DIGESTS.contains(new ASN1ObjectIdentifier(info.getDigestAlgOID()))) {
                throw new ScepException(FailInfo.BAD_ALGORITHM, "digests are SHA-256, SHA-384 and SHA-512");
            }
            if (!info.verify(new JcaSimpleSignerInfoVerifierBuilder()
                    .setProvider(PROVIDER)
                    .build(signer.getPublicKey()))) {
                throw new ScepException(FailInfo.BAD_MESSAGE_CHECK, "the signature is not right");
            }
            AttributeTable attributes = info.getSignedAttributes();
            MessageType type = MessageType.parse(text(attributes, ScepAttributes.MESSAGE_TYPE))
                    .orElseThrow(() -> bad("message types are PKCSReq, RenewalReq and CertPoll"));
            String transaction = text(attributes, ScepAttributes.TRANSACTION_ID);
            if (!transaction.matches("[ -~]{1,64}")) {
                throw bad("a transaction id has 1 to 64 printable characters");
            }
            return new ScepRequest(type, transaction, nonce(attributes), signer, (byte[])
                    data.getSignedContent().getContent());
        } catch (CMSException | OperatorCreationException | IOException | X509FormatException | RuntimeException e) {
            throw new ScepException(FailInfo.BAD_MESSAGE_CHECK, "not a signed message");
        }
    }

    private static X509Certificate signer(CMSSignedData data, SignerInformation info)
            throws ScepException, IOException, X509FormatException {
        @SuppressWarnings("unchecked") // the library's store holds certificates alone
        Collection<X509CertificateHolder> found = data.getCertificates().getMatches(info.getSID());
        if (found.size() != 1) {
            throw bad("the message does not hold its signer's certificate");
        }
        X509Certificate certificate = Certificates.parse(found.iterator().next().getEncoded());
        if (!(certificate.getPublicKey() instanceof RSAPublicKey rsa)
                || rsa.getModulus().bitLength() < 2_048
                || rsa.getModulus().bitLength() > 4_096) {
            throw new ScepException(FailInfo.BAD_ALGORITHM, "SCEP needs an RSA key of 2048 to 4096 bits");
        }
        return certificate;
    }

    private static Optional<ASN1Set> values(AttributeTable attributes, ASN1ObjectIdentifier type) {
        Attribute found = attributes == null ? null : attributes.get(type);
        return Optional.ofNullable(found).map(Attribute::getAttrValues).filter(set -> set.size() == 1);
    }

    private static String text(AttributeTable attributes, ASN1ObjectIdentifier type) throws ScepException {
        return values(attributes, type)
                .map(set -> ASN1PrintableString.getInstance(set.getObjectAt(0)).getString())
                .orElseThrow(() -> bad("attribute " + type + " is not there once"));
    }

    private static byte[] nonce(AttributeTable attributes) throws ScepException {
        byte[] nonce = values(attributes, ScepAttributes.SENDER_NONCE)
                .map(set -> ASN1OctetString.getInstance(set.getObjectAt(0)).getOctets())
                .orElseThrow(() -> bad("no sender nonce"));
        if (nonce.length != 16) {
            throw bad("a sender nonce has 16 octets");
        }
        return nonce;
    }

    /// What is inside: for [MessageType#PKCS_REQ] and [MessageType#RENEWAL_REQ] a PKCS #10 request.
    public byte[] open(PrivateKey key, X509Certificate recipient, SecureRandom random) throws ScepException {
        return Envelope.open(envelope, key, recipient, random);
    }

    private static ScepException bad(String why) {
        return new ScepException(FailInfo.BAD_REQUEST, why);
    }
}
