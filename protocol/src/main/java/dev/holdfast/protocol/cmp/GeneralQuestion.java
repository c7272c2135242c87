package dev.holdfast.protocol.cmp;

import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.protocol.x509.X509FormatException;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.cmp.CMPCertificate;
import org.bouncycastle.asn1.cmp.CMPObjectIdentifiers;
import org.bouncycastle.asn1.cmp.CRLSource;
import org.bouncycastle.asn1.cmp.CRLStatus;
import org.bouncycastle.asn1.cmp.CertReqTemplateContent;
import org.bouncycastle.asn1.cmp.InfoTypeAndValue;
import org.bouncycastle.asn1.cmp.RootCaKeyUpdateContent;
import org.bouncycastle.asn1.crmf.AttributeTypeAndValue;
import org.bouncycastle.asn1.crmf.CertTemplateBuilder;
import org.bouncycastle.asn1.edec.EdECObjectIdentifiers;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.DistributionPointName;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;

/// What a general message may ask (RFC 9483 section 4.3), and how it is answered.
public sealed interface GeneralQuestion {
    /// Section 4.3.1: the authorities' certificates.
    record Authorities() implements GeneralQuestion {}

    /// Section 4.3.2: the root that comes after the one that the device has.
    ///
    /// @param known the device's
    record RootUpdate(Optional<X509Certificate> known) implements GeneralQuestion {}

    /// Section 4.3.3: what a request should be like.
    record RequestTemplate() implements GeneralQuestion {}

    /// Section 4.3.4: revocation lists, those that are newer than the device's.
    record RevocationLists(List<Wanted> wanted) implements GeneralQuestion {
        /// @param source a distribution point's URI, or its issuer's name
        /// @param newerThan the thisUpdate of the list that the device has
        public record Wanted(Source source, Optional<Instant> newerThan) {}

        /// Which list.
        public sealed interface Source {
            record Uris(List<String> uris) implements Source {}

            record Issuers(List<X500Name> names) implements Source {}
        }
    }

    /// Something that is not answered here.
    record Unknown(ASN1ObjectIdentifier type) implements GeneralQuestion {}

    /// @throws CmpException when it is a question known here in a form that it does not have
    static GeneralQuestion of(InfoTypeAndValue question) throws CmpException {
        ASN1ObjectIdentifier type = question.getInfoType();
        ASN1Encodable value = question.getInfoValue();
        try {
            if (type.equals(CMPObjectIdentifiers.id_it_caCerts)) {
                return new Authorities();
            }
            if (type.equals(CMPObjectIdentifiers.id_it_rootCaCert)) {
                return new RootUpdate(value == null ? Optional.empty() : Optional.of(certificate(value)));
            }
            if (type.equals(CMPObjectIdentifiers.id_it_certReqTemplate)) {
                return new RequestTemplate();
            }
            if (type.equals(CMPObjectIdentifiers.id_it_crlStatusList)) {
                return lists(ASN1Sequence.getInstance(value));
            }
        } catch (IOException | X509FormatException | RuntimeException e) {
            throw new CmpException(CmpFailure.BAD_DATA_FORMAT, "the value of " + type + " can't be read", e);
        }
        return new Unknown(type);
    }

    private static X509Certificate certificate(ASN1Encodable value) throws IOException, X509FormatException {
        CMPCertificate one = CMPCertificate.getInstance(value);
        if (!one.isX509v3PKCert()) {
            throw new X509FormatException("not an X.509 certificate");
        }
        return Certificates.parse(one.getX509v3PKCert().getEncoded(ASN1Encoding.DER));
    }

    private static GeneralQuestion lists(ASN1Sequence all) throws CmpException {
        if (all == null || all.size() == 0 || all.size() > 8) {
            throw new CmpException(CmpFailure.BAD_REQUEST, "ask for 1 to 8 revocation lists at once");
        }
        List<RevocationLists.Wanted> wanted = new ArrayList<>();
        for (ASN1Encodable one : all) {
            CRLStatus status = CRLStatus.getInstance(one);
            wanted.add(new RevocationLists.Wanted(
                    source(status.getSource()),
                    Optional.ofNullable(status.getThisUpdate())
                            .map(time -> time.getDate().toInstant())));
        }
        return new RevocationLists(wanted);
    }

    private static RevocationLists.Source source(CRLSource source) throws CmpException {
        if (source.getDpn() != null && source.getDpn().getType() == DistributionPointName.FULL_NAME) {
            List<String> uris = new ArrayList<>();
            for (GeneralName name :
                    GeneralNames.getInstance(source.getDpn().getName()).getNames()) {
                if (name.getTagNo() == GeneralName.uniformResourceIdentifier) {
                    uris.add(name.getName().toString());
                }
            }
            return new RevocationLists.Source.Uris(uris);
        }
        if (source.getIssuer() != null) {
            List<X500Name> names = new ArrayList<>();
            for (GeneralName name : source.getIssuer().getNames()) {
                if (name.getTagNo() == GeneralName.directoryName) {
                    names.add(X500Name.getInstance(name.getName()));
                }
            }
            return new RevocationLists.Source.Issuers(names);
        }
        throw new CmpException(CmpFailure.BAD_REQUEST, "name the list by its distribution point or its issuer");
    }

    /// id-it-caCerts; without a value when there is none.
    static InfoTypeAndValue authorities(List<X509Certificate> certificates) {
        ASN1EncodableVector all = new ASN1EncodableVector();
        certificates.forEach(c -> all.add(Answers.certificate(c)));
        return all.size() == 0
                ? new InfoTypeAndValue(CMPObjectIdentifiers.id_it_caCerts)
                : new InfoTypeAndValue(CMPObjectIdentifiers.id_it_caCerts, new DERSequence(all));
    }

    /// id-it-rootCaKeyUpdate; without a value when the device has the newest.
    ///
    /// @param newWithOld the new root's key certified by the old one, for devices that trust only that
    static InfoTypeAndValue rootUpdate(
            Optional<X509Certificate> newest,
            Optional<X509Certificate> newWithOld,
            Optional<X509Certificate> oldWithNew) {
        return newest.map(root -> new InfoTypeAndValue(
                        CMPObjectIdentifiers.id_it_rootCaKeyUpdate,
                        new RootCaKeyUpdateContent(
                                Answers.certificate(root),
                                newWithOld.map(Answers::certificate).orElse(null),
                                oldWithNew.map(Answers::certificate).orElse(null))))
                .orElseGet(() -> new InfoTypeAndValue(CMPObjectIdentifiers.id_it_rootCaKeyUpdate));
    }

    /// id-it-certReqTemplate: an empty template (names and extensions are the profile's matter) with the keys
    /// that are certified.
    static InfoTypeAndValue requestTemplate(List<KeyKind> kinds) {
        ASN1EncodableVector keys = new ASN1EncodableVector();
        for (KeyKind kind : kinds) {
            switch (kind) {
                case EC_P256 -> keys.add(algorithm(curve(SECObjectIdentifiers.secp256r1)));
                case EC_P384 -> keys.add(algorithm(curve(SECObjectIdentifiers.secp384r1)));
                case ED25519 -> keys.add(algorithm(new AlgorithmIdentifier(EdECObjectIdentifiers.id_Ed25519)));
                case ML_DSA_65 -> keys.add(algorithm(new AlgorithmIdentifier(NISTObjectIdentifiers.id_ml_dsa_65)));
                case RSA ->
                    keys.add(new AttributeTypeAndValue(
                            CMPObjectIdentifiers.id_regCtrl_rsaKeyLen, new ASN1Integer(3_072)));
                case RSA_WEAK, OTHER -> {}
            }
        }
        return new InfoTypeAndValue(
                CMPObjectIdentifiers.id_it_certReqTemplate,
                new CertReqTemplateContent(
                        new CertTemplateBuilder().build(), keys.size() == 0 ? null : new DERSequence(keys)));
    }

    private static AlgorithmIdentifier curve(ASN1ObjectIdentifier curve) {
        return new AlgorithmIdentifier(X9ObjectIdentifiers.id_ecPublicKey, curve);
    }

    private static AttributeTypeAndValue algorithm(AlgorithmIdentifier identifier) {
        return new AttributeTypeAndValue(CMPObjectIdentifiers.id_regCtrl_algId, identifier);
    }

    /// id-it-crls; without a value when the device has the newest.
    ///
    /// @param lists DER
    static InfoTypeAndValue revocationLists(List<byte[]> lists) {
        ASN1EncodableVector all = new ASN1EncodableVector();
        for (byte[] list : lists) {
            try {
                all.add(ASN1Primitive.fromByteArray(list));
            } catch (IOException e) {
                throw new IllegalStateException("our own revocation list can't be read", e);
            }
        }
        return all.size() == 0
                ? new InfoTypeAndValue(CMPObjectIdentifiers.id_it_crls)
                : new InfoTypeAndValue(CMPObjectIdentifiers.id_it_crls, new DERSequence(all));
    }
}
