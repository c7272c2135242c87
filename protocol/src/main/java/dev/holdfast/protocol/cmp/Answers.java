package dev.holdfast.protocol.cmp;

import java.math.BigInteger;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.cmp.CMPCertificate;
import org.bouncycastle.asn1.cmp.CertOrEncCert;
import org.bouncycastle.asn1.cmp.CertRepMessage;
import org.bouncycastle.asn1.cmp.CertResponse;
import org.bouncycastle.asn1.cmp.CertifiedKeyPair;
import org.bouncycastle.asn1.cmp.ErrorMsgContent;
import org.bouncycastle.asn1.cmp.GenRepContent;
import org.bouncycastle.asn1.cmp.InfoTypeAndValue;
import org.bouncycastle.asn1.cmp.PKIBody;
import org.bouncycastle.asn1.cmp.PKIConfirmContent;
import org.bouncycastle.asn1.cmp.PKIFreeText;
import org.bouncycastle.asn1.cmp.PKIStatus;
import org.bouncycastle.asn1.cmp.PKIStatusInfo;
import org.bouncycastle.asn1.cmp.PollRepContent;
import org.bouncycastle.asn1.cmp.RevRepContentBuilder;
import org.bouncycastle.asn1.crmf.CertId;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Certificate;
import org.bouncycastle.asn1.x509.GeneralName;

/// The bodies of answers (RFC 9810 sections 5.3.4 to 5.3.22).
public final class Answers {
    private Answers() {}

    /// ip, cp or kup with the certificate.
    ///
    /// @param authorities for `caPubs`: only where a shared secret vouches for them (RFC 9483 section 4.1.5)
    public static PKIBody issued(
            CmpBody.Kind kind, BigInteger certReqId, X509Certificate issued, List<X509Certificate> authorities) {
        CertifiedKeyPair pair = new CertifiedKeyPair(new CertOrEncCert(certificate(issued)));
        return answer(
                kind,
                new CertResponse(new ASN1Integer(certReqId), new PKIStatusInfo(PKIStatus.granted), pair, null),
                authorities);
    }

    /// ip, cp or kup that says: not yet, poll (RFC 9483 section 4.4).
    public static PKIBody waiting(CmpBody.Kind kind, BigInteger certReqId, String text) {
        return answer(
                kind,
                new CertResponse(
                        new ASN1Integer(certReqId), new PKIStatusInfo(PKIStatus.waiting, new PKIFreeText(text))),
                List.of());
    }

    /// ip, cp or kup that says no, and why.
    public static PKIBody rejected(CmpBody.Kind kind, BigInteger certReqId, CmpFailure failure, String text) {
        return answer(kind, new CertResponse(new ASN1Integer(certReqId), rejection(failure, text)), List.of());
    }

    private static PKIBody answer(CmpBody.Kind kind, CertResponse response, List<X509Certificate> authorities) {
        CMPCertificate[] published =
                authorities.stream().map(Answers::certificate).toArray(CMPCertificate[]::new);
        return new PKIBody(
                switch (kind) {
                    case INITIALIZATION -> PKIBody.TYPE_INIT_REP;
                    case CERTIFICATION, PKCS10 -> PKIBody.TYPE_CERT_REP;
                    case KEY_UPDATE -> PKIBody.TYPE_KEY_UPDATE_REP;
                },
                new CertRepMessage(published.length == 0 ? null : published, new CertResponse[] {response}));
    }

    /// pkiConf.
    public static PKIBody confirmed() {
        return new PKIBody(PKIBody.TYPE_CONFIRM, new PKIConfirmContent());
    }

    /// pollRep: come again then.
    public static PKIBody pollAgain(BigInteger certReqId, Duration after, String text) {
        return new PKIBody(
                PKIBody.TYPE_POLL_REP,
                new PollRepContent(
                        new ASN1Integer(certReqId), new ASN1Integer(after.toSeconds()), new PKIFreeText(text)));
    }

    /// rp: it is revoked.
    public static PKIBody revoked(CmpBody.CertificateId certificate) {
        return revocation(certificate, new PKIStatusInfo(PKIStatus.granted));
    }

    /// rp: it is not revoked, and why.
    public static PKIBody notRevoked(CmpBody.CertificateId certificate, CmpFailure failure, String text) {
        return revocation(certificate, rejection(failure, text));
    }

    private static PKIBody revocation(CmpBody.CertificateId certificate, PKIStatusInfo status) {
        CertId id = new CertId(new GeneralName(GeneralName.directoryName, certificate.issuer()), certificate.serial());
        return new PKIBody(
                PKIBody.TYPE_REVOCATION_REP,
                new RevRepContentBuilder().add(status, id).build());
    }

    /// genp.
    public static PKIBody general(List<InfoTypeAndValue> answers) {
        return new PKIBody(PKIBody.TYPE_GEN_REP, new GenRepContent(answers.toArray(InfoTypeAndValue[]::new)));
    }

    /// error.
    public static PKIBody error(CmpFailure failure, String text) {
        return new PKIBody(PKIBody.TYPE_ERROR, new ErrorMsgContent(rejection(failure, text)));
    }

    private static PKIStatusInfo rejection(CmpFailure failure, String text) {
        ASN1EncodableVector all = new ASN1EncodableVector();
        all.add(new ASN1Integer(PKIStatus.REJECTION));
        all.add(new DERSequence(new DERUTF8String(text)));
        all.add(failure.bit());
        return PKIStatusInfo.getInstance(new DERSequence(all));
    }

    /// A certificate as CMP carries it.
    public static CMPCertificate certificate(X509Certificate certificate) {
        try {
            return new CMPCertificate(Certificate.getInstance(certificate.getEncoded()));
        } catch (CertificateEncodingException e) {
            throw new IllegalStateException("a parsed certificate has no encoding", e);
        }
    }

    /// A certificate by its issuer and number.
    public static CmpBody.CertificateId id(X509Certificate certificate) {
        return new CmpBody.CertificateId(
                X500Name.getInstance(certificate.getIssuerX500Principal().getEncoded()), certificate.getSerialNumber());
    }
}
