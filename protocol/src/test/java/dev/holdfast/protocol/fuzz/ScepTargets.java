package dev.holdfast.protocol.fuzz;

import dev.holdfast.protocol.scep.ChallengePassword;
import dev.holdfast.protocol.scep.MessageType;
import dev.holdfast.protocol.scep.ScepException;
import dev.holdfast.protocol.scep.ScepRequest;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.testkit.fuzz.FuzzTarget;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.util.Hashtable;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERPrintableString;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.CMSEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.DefaultSignedAttributeTableGenerator;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientInfoGenerator;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/// SCEP: signed data around enveloped data around a request.
final class ScepTargets {
    private static final BouncyCastleProvider PROVIDER = new BouncyCastleProvider();
    private static final ASN1ObjectIdentifier VERISIGN = new ASN1ObjectIdentifier("2.16.840.1.113733.1.9");
    private static final KeyPair AUTHORITY = StoredSeeds.key("scep-authority", Seeds::rsa);
    private static final X509Certificate RECIPIENT = certificate("scep-recipient", AUTHORITY);
    private static final KeyPair DEVICE = StoredSeeds.key("scep-device", Seeds::rsa);
    private static final X509Certificate SIGNER = certificate("scep-signer", DEVICE);

    private ScepTargets() {}

    private static X509Certificate certificate(String name, KeyPair key) {
        return RequestTargets.read(StoredSeeds.of(
                        name,
                        () -> List.of(
                                Certificates.der(Seeds.certificate(key, name, KeyPurposeId.id_kp_clientAuth, false))))
                .getFirst());
    }

    static List<FuzzTarget> all() {
        byte[] envelope = StoredSeeds.of(
                        "scep-envelope", () -> List.of(envelope(CertificationRequest.create("fuzz-1", DEVICE))))
                .getFirst();
        return List.of(
                new FuzzTarget(
                        "scep-message",
                        800,
                        ScepTargets::message,
                        StoredSeeds.of("scep-message", () -> List.of(signed(envelope)))),
                new FuzzTarget("scep-envelope", 400, ScepTargets::envelopeOpens, List.of(envelope)),
                new FuzzTarget(
                        "challenge-password",
                        1_500,
                        input -> ChallengePassword.of(input).isEmpty(),
                        List.of(CertificationRequest.create("fuzz-1", DEVICE))));
    }

    private static boolean message(byte[] input) {
        try {
            ScepRequest.parse(input).open(AUTHORITY.getPrivate(), RECIPIENT, Seeds.RANDOM);
            Seeds.requireOneElement(input);
            return true;
        } catch (ScepException expected) {
            return false;
        }
    }

    private static boolean envelopeOpens(byte[] input) {
        try {
            new ScepRequest(MessageType.PKCS_REQ, "1", new byte[16], SIGNER, input)
                    .open(AUTHORITY.getPrivate(), RECIPIENT, Seeds.RANDOM);
            return true;
        } catch (ScepException expected) {
            return false;
        }
    }

    private static byte[] envelope(byte[] content) {
        try {
            CMSEnvelopedDataGenerator sealer = new CMSEnvelopedDataGenerator();
            sealer.addRecipientInfoGenerator(new JceKeyTransRecipientInfoGenerator(RECIPIENT).setProvider(PROVIDER));
            return sealer.generate(
                            new CMSProcessableByteArray(content),
                            new JceCMSContentEncryptorBuilder(CMSAlgorithm.AES128_CBC)
                                    .setProvider(PROVIDER)
                                    .build())
                    .getEncoded();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @SuppressWarnings("JdkObsolete") // the library's constructor wants one
    private static void put(Hashtable<ASN1ObjectIdentifier, Attribute> all, String arc, ASN1Encodable value) {
        all.put(VERISIGN.branch(arc), new Attribute(VERISIGN.branch(arc), new DERSet(value)));
    }

    @SuppressWarnings("JdkObsolete") // the library's constructor wants one
    private static byte[] signed(byte[] envelope) {
        Hashtable<ASN1ObjectIdentifier, Attribute> attributes = new Hashtable<>();
        put(attributes, "2", new DERPrintableString("19"));
        put(attributes, "7", new DERPrintableString("transaction-1"));
        put(attributes, "5", new DEROctetString(new byte[16]));
        try {
            CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
            generator.addSignerInfoGenerator(new JcaSimpleSignerInfoGeneratorBuilder()
                    .setProvider(PROVIDER)
                    .setSignedAttributeGenerator(
                            new DefaultSignedAttributeTableGenerator(new AttributeTable(attributes)))
                    .build("SHA256withRSA", DEVICE.getPrivate(), SIGNER));
            generator.addCertificates(new JcaCertStore(List.of(SIGNER)));
            return generator
                    .generate(new CMSProcessableByteArray(envelope), true)
                    .getEncoded();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
