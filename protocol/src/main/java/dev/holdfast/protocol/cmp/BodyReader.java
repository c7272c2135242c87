package dev.holdfast.protocol.cmp;

import java.io.IOException;
import java.math.BigInteger;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Enumerated;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.cmp.CMPObjectIdentifiers;
import org.bouncycastle.asn1.cmp.CertConfirmContent;
import org.bouncycastle.asn1.cmp.CertStatus;
import org.bouncycastle.asn1.cmp.ErrorMsgContent;
import org.bouncycastle.asn1.cmp.GenMsgContent;
import org.bouncycastle.asn1.cmp.InfoTypeAndValue;
import org.bouncycastle.asn1.cmp.PKIBody;
import org.bouncycastle.asn1.cmp.PKIFreeText;
import org.bouncycastle.asn1.cmp.PKIStatus;
import org.bouncycastle.asn1.cmp.PKIStatusInfo;
import org.bouncycastle.asn1.cmp.PollReqContent;
import org.bouncycastle.asn1.cmp.RevDetails;
import org.bouncycastle.asn1.cmp.RevReqContent;
import org.bouncycastle.asn1.crmf.AttributeTypeAndValue;
import org.bouncycastle.asn1.crmf.CertId;
import org.bouncycastle.asn1.crmf.CertReqMessages;
import org.bouncycastle.asn1.crmf.CertReqMsg;
import org.bouncycastle.asn1.crmf.CertTemplate;
import org.bouncycastle.asn1.crmf.Controls;
import org.bouncycastle.asn1.pkcs.CertificationRequest;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.jspecify.annotations.Nullable;

/// Reads the bodies that a device may send; each asks for one thing at a time (RFC 9483 section 4).
final class BodyReader {
    private static final int MOST_QUESTIONS = 8;
    private static final int LONGEST_TEXT = 200;
    private static final int MOST_SERIAL_BITS = 160;

    private BodyReader() {}

    static CmpBody read(PKIBody body) throws CmpException, IOException {
        ASN1Encodable content = body.getContent();
        return switch (body.getType()) {
            case PKIBody.TYPE_INIT_REQ -> request(CmpBody.Kind.INITIALIZATION, content);
            case PKIBody.TYPE_CERT_REQ -> request(CmpBody.Kind.CERTIFICATION, content);
            case PKIBody.TYPE_KEY_UPDATE_REQ -> request(CmpBody.Kind.KEY_UPDATE, content);
            case PKIBody.TYPE_P10_CERT_REQ ->
                new CmpBody.Pkcs10Request(new DEROctetString(
                        CertificationRequest.getInstance(content).getEncoded(ASN1Encoding.DER)));
            case PKIBody.TYPE_REVOCATION_REQ -> revocation(RevReqContent.getInstance(content));
            case PKIBody.TYPE_GEN_MSG -> general(GenMsgContent.getInstance(content));
            case PKIBody.TYPE_CERT_CONFIRM -> confirmation(CertConfirmContent.getInstance(content));
            case PKIBody.TYPE_POLL_REQ -> poll(PollReqContent.getInstance(content));
            case PKIBody.TYPE_ERROR ->
                new CmpBody.ClientError(
                        text(ErrorMsgContent.getInstance(content).getPKIStatusInfo()));
            default ->
                throw new CmpException(
                        CmpFailure.BAD_REQUEST,
                        "messages of type " + body.getType()
                                + " are not offered: ir, cr, kur, p10cr, rr, genm, certConf and pollReq are");
        };
    }

    private static CmpBody request(CmpBody.Kind kind, ASN1Encodable content) throws CmpException {
        CertReqMsg[] all = CertReqMessages.getInstance(content).toCertReqMsgArray();
        if (all.length != 1) {
            throw new CmpException(CmpFailure.BAD_REQUEST, "ask for one certificate at a time");
        }
        BigInteger id = requestId(all[0].getCertReq().getCertReqId().getValue());
        return new CmpBody.CertificateRequest(
                kind, id, all[0], replaced(all[0].getCertReq().getControls()));
    }

    /// The only control that means anything here is oldCertID (RFC 4211 section 6.5); none may be there
    /// twice.
    private static Optional<CmpBody.CertificateId> replaced(@Nullable Controls controls) throws CmpException {
        if (controls == null) {
            return Optional.empty();
        }
        Optional<CmpBody.CertificateId> replaced = Optional.empty();
        for (AttributeTypeAndValue control : controls.toAttributeTypeAndValueArray()) {
            ASN1ObjectIdentifier type = control.getType();
            if (!type.equals(CMPObjectIdentifiers.regCtrl_oldCertID) || replaced.isPresent()) {
                throw new CmpException(
                        CmpFailure.BAD_REQUEST, "of the request's controls only oldCertID, once, is known here");
            }
            CertId old = CertId.getInstance(control.getValue());
            if (old.getIssuer().getTagNo() != GeneralName.directoryName) {
                throw new CmpException(CmpFailure.BAD_CERT_ID, "the issuer in oldCertID is no directory name");
            }
            replaced = Optional.of(new CmpBody.CertificateId(
                    X500Name.getInstance(old.getIssuer().getName()),
                    serial(old.getSerialNumber().getValue())));
        }
        return replaced;
    }

    /// RFC 9483 section 4.2: certDetails has issuer and serialNumber; the reason is a CRL entry extension.
    private static CmpBody revocation(RevReqContent content) throws CmpException {
        RevDetails[] all = content.toRevDetailsArray();
        if (all.length != 1) {
            throw new CmpException(CmpFailure.BAD_REQUEST, "ask for the revocation of one certificate at a time");
        }
        CertTemplate details = all[0].getCertDetails();
        if (details.getIssuer() == null || details.getSerialNumber() == null) {
            throw new CmpException(
                    CmpFailure.ADD_INFO_NOT_AVAILABLE, "name the certificate by issuer and serialNumber");
        }
        Optional<Integer> reason = Optional.empty();
        if (all[0].getCrlEntryDetails() != null) {
            for (ASN1ObjectIdentifier type : all[0].getCrlEntryDetails().getExtensionOIDs()) {
                if (!type.equals(Extension.reasonCode)) {
                    throw new CmpException(
                            CmpFailure.UNACCEPTED_EXTENSION, "of CRL entry extensions only reasonCode is known here");
                }
                reason = Optional.of(ASN1Enumerated.getInstance(
                                all[0].getCrlEntryDetails().getExtension(type).getParsedValue())
                        .intValueExact());
            }
        }
        return new CmpBody.RevocationRequest(
                new CmpBody.CertificateId(
                        details.getIssuer(), serial(details.getSerialNumber().getValue())),
                reason);
    }

    private static CmpBody general(GenMsgContent content) throws CmpException {
        InfoTypeAndValue[] all = content.toInfoTypeAndValueArray();
        if (all.length == 0 || all.length > MOST_QUESTIONS) {
            throw new CmpException(CmpFailure.BAD_REQUEST, "ask 1 to " + MOST_QUESTIONS + " questions at once");
        }
        return new CmpBody.GeneralMessage(List.of(all));
    }

    private static CmpBody confirmation(CertConfirmContent content) throws CmpException {
        CertStatus[] all = content.toCertStatusArray();
        if (all.length == 0) {
            return new CmpBody.Confirmation(Optional.empty());
        }
        if (all.length != 1) {
            throw new CmpException(CmpFailure.BAD_REQUEST, "one certificate was issued, so confirm one");
        }
        PKIStatusInfo status = all[0].getStatusInfo();
        boolean accepted = status == null || isOneOf(status, PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS);
        if (!accepted && !isOneOf(status, PKIStatus.REJECTION, PKIStatus.REJECTION)) {
            throw new CmpException(CmpFailure.BAD_REQUEST, "a certificate is accepted or rejected");
        }
        return new CmpBody.Confirmation(Optional.of(new CmpBody.Confirmation.Status(
                all[0].getCertHash(),
                requestId(all[0].getCertReqId().getValue()),
                Optional.ofNullable(all[0].getHashAlg()),
                accepted,
                status == null ? "" : text(status))));
    }

    private static boolean isOneOf(PKIStatusInfo info, int one, int other) {
        return info.getStatusObject().hasValue(one) || info.getStatusObject().hasValue(other);
    }

    private static CmpBody poll(PollReqContent content) throws CmpException {
        BigInteger[] ids = content.getCertReqIdValues();
        if (ids.length != 1) {
            throw new CmpException(CmpFailure.BAD_REQUEST, "poll for one certificate at a time");
        }
        return new CmpBody.Poll(requestId(ids[0]));
    }

    private static BigInteger requestId(BigInteger id) throws CmpException {
        if (id.bitLength() > 31) {
            throw new CmpException(CmpFailure.BAD_DATA_FORMAT, "a certReqId of unreasonable size");
        }
        return id;
    }

    private static BigInteger serial(BigInteger serial) throws CmpException {
        if (serial.signum() <= 0 || serial.bitLength() > MOST_SERIAL_BITS) {
            throw new CmpException(CmpFailure.BAD_CERT_ID, "a serial number that no certificate has");
        }
        return serial;
    }

    /// What a device says in words, printable and not long: it goes into records that people read.
    private static String text(PKIStatusInfo info) {
        PKIFreeText text = info.getStatusString();
        if (text == null || text.size() == 0) {
            return "";
        }
        String said = text.getStringAtUTF8(0).getString();
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < said.length() && i < LONGEST_TEXT; i++) {
            char c = said.charAt(i);
            plain.append(c >= ' ' && c <= '~' ? c : '?');
        }
        return plain.toString();
    }
}
