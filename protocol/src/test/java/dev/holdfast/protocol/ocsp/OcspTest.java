package dev.holdfast.protocol.ocsp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.protocol.x509.Crypto;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.ocsp.BasicOCSPResponse;
import org.bouncycastle.asn1.ocsp.CertID;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.ocsp.OCSPRequest;
import org.bouncycastle.asn1.ocsp.OCSPResponse;
import org.bouncycastle.asn1.ocsp.Request;
import org.bouncycastle.asn1.ocsp.ResponseData;
import org.bouncycastle.asn1.ocsp.RevokedInfo;
import org.bouncycastle.asn1.ocsp.SingleResponse;
import org.bouncycastle.asn1.ocsp.TBSRequest;
import org.bouncycastle.asn1.oiw.OIWObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Questions and answers against those that BouncyCastle writes and reads.
class OcspTest {
    private static final BigInteger SERIAL = new BigInteger("123456789012345678901234567890");

    private static CertID id(BigInteger serial) {
        return new CertID(
                new AlgorithmIdentifier(OIWObjectIdentifiers.idSHA1),
                new DEROctetString(new byte[20]),
                new DEROctetString(new byte[] {1, 2, 3}),
                new ASN1Integer(serial));
    }

    private static byte[] request(int certificates, Extension... extensions) throws Exception {
        ASN1EncodableVector list = new ASN1EncodableVector();
        for (int i = 0; i < certificates; i++) {
            list.add(new Request(id(SERIAL.add(BigInteger.valueOf(i))), null));
        }
        Extensions all = extensions.length == 0 ? null : new Extensions(extensions);
        return new OCSPRequest(new TBSRequest(null, new DERSequence(list), all), null).getEncoded();
    }

    private static Extension nonce(int length) throws Exception {
        return new Extension(
                OCSPObjectIdentifiers.id_pkix_ocsp_nonce, false, new DEROctetString(new byte[length]).getEncoded());
    }

    @Test
    void readsWhatIsAskedFor() throws Exception {
        OcspRequest request = OcspRequest.parse(request(3));
        assertThat(request.nonce()).isEmpty();
        assertThat(request.certificates())
                .extracting(CertificateId::serial)
                .containsExactly(SERIAL, SERIAL.add(BigInteger.ONE), SERIAL.add(BigInteger.TWO));
        CertificateId first = request.certificates().getFirst();
        assertThat(first.hash()).contains(CertificateId.Hash.SHA_1);
        assertThat(first.isBy(CertificateId.Hash.SHA_1, new byte[20], new byte[] {1, 2, 3}))
                .isTrue();
        assertThat(first.isBy(CertificateId.Hash.SHA_1, new byte[20], new byte[] {1, 2, 4}))
                .isFalse();
        assertThat(first.isBy(CertificateId.Hash.SHA_256, new byte[20], new byte[] {1, 2, 3}))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 32, 127, 128})
    void takesANonceOf1To128Octets(int length) throws Exception {
        assertThat(OcspRequest.parse(request(1, nonce(length))).nonce().orElseThrow())
                .hasSize(length);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 129, 200, 5_000})
    void refusesANonceThatIsEmptyOrTooLong(int length) throws Exception {
        byte[] request = request(1, nonce(length));
        assertThatThrownBy(() -> OcspRequest.parse(request)).isInstanceOf(OcspFormatException.class);
    }

    @Test
    void refusesANonceThatIsNoOctetString() throws Exception {
        byte[] request = request(1, new Extension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce, false, new byte[] {
            0x05, 0x03, 0x01, 0x02, 0x03
        }));
        assertThatThrownBy(() -> OcspRequest.parse(request)).isInstanceOf(OcspFormatException.class);
    }

    @Test
    void ignoresAnUnknownExtensionAndRefusesACriticalOne() throws Exception {
        ASN1ObjectIdentifier unknown = new ASN1ObjectIdentifier("1.3.6.1.4.1.99999.1");
        byte[] value = new DEROctetString(new byte[3]).getEncoded();
        assertThat(OcspRequest.parse(request(1, new Extension(unknown, false, value), nonce(32)))
                        .nonce())
                .isPresent();
        byte[] critical = request(1, new Extension(unknown, true, value));
        assertThatThrownBy(() -> OcspRequest.parse(critical)).isInstanceOf(OcspFormatException.class);
    }

    @Test
    void refusesNoCertificateTooManyAndOctetsAfterTheEnd() throws Exception {
        byte[] none = request(0);
        byte[] many = request(17);
        byte[] longer = java.util.Arrays.copyOf(request(1), request(1).length + 1);
        for (byte[] bad : List.of(none, many, longer)) {
            assertThatThrownBy(() -> OcspRequest.parse(bad)).isInstanceOf(OcspFormatException.class);
        }
    }

    @Test
    void writesAnAnswerThatOthersReadAndVerify() throws Exception {
        KeyPair key = Crypto.generateP256(new SecureRandom());
        Instant now = Instant.parse("2026-11-27T01:02:03Z");
        OcspRequest request = OcspRequest.parse(request(3, nonce(32)));
        List<OcspResponse.Status> statuses = List.of(
                new OcspResponse.Status.Good(),
                new OcspResponse.Status.Revoked(now.minusSeconds(60), 1),
                new OcspResponse.Status.Unknown());
        List<OcspResponse.Single> singles = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            singles.add(new OcspResponse.Single(request.certificates().get(i), statuses.get(i)));
        }
        byte[] keyHash = new byte[20];
        byte[] der = OcspResponse.signed(
                new OcspResponse.Responder(keyHash, "SHA256withECDSA", Optional.empty()),
                singles,
                now,
                now.plusSeconds(600),
                request.nonce(),
                bytes -> Crypto.sign(key.getPrivate(), "SHA256withECDSA", bytes));

        OCSPResponse read = OCSPResponse.getInstance(der);
        assertThat(read.getEncoded("DER")).isEqualTo(der);
        assertThat(read.getResponseStatus().getIntValue()).isZero();
        BasicOCSPResponse basic = BasicOCSPResponse.getInstance(
                read.getResponseBytes().getResponse().getOctets());
        ResponseData data = basic.getTbsResponseData();
        assertThat(Crypto.verify(
                        key.getPublic(),
                        "SHA256withECDSA",
                        data.getEncoded("DER"),
                        basic.getSignature().getOctets()))
                .isTrue();
        assertThat(data.getResponderID().getKeyHash()).isEqualTo(keyHash);
        assertThat(data.getProducedAt().getDate()).isEqualTo(Date.from(now));
        Extension nonce = data.getResponseExtensions().getExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce);
        assertThat(ASN1OctetString.getInstance(nonce.getParsedValue()).getOctets())
                .hasSize(32);
        for (int i = 0; i < 3; i++) {
            SingleResponse single =
                    SingleResponse.getInstance(data.getResponses().getObjectAt(i));
            assertThat(single.getCertID().getSerialNumber().getValue()).isEqualTo(SERIAL.add(BigInteger.valueOf(i)));
            assertThat(single.getCertStatus().getTagNo()).isEqualTo(i);
            assertThat(single.getNextUpdate().getDate()).isEqualTo(Date.from(now.plusSeconds(600)));
        }
        RevokedInfo revoked = RevokedInfo.getInstance(
                SingleResponse.getInstance(data.getResponses().getObjectAt(1))
                        .getCertStatus()
                        .getStatus());
        assertThat(revoked.getRevocationReason().getValue().intValue()).isEqualTo(1);
        assertThat(revoked.getRevocationTime().getDate()).isEqualTo(Date.from(now.minusSeconds(60)));
    }

    @Test
    void failuresAreWhatTheStandardSays() {
        for (OcspResponse.Failure failure : OcspResponse.Failure.values()) {
            OCSPResponse read = OCSPResponse.getInstance(failure.response());
            assertThat(read.getResponseBytes()).isNull();
            assertThat(read.getResponseStatus().getIntValue()).isPositive();
        }
        assertThat(OCSPResponse.getInstance(OcspResponse.Failure.UNAUTHORIZED.response())
                        .getResponseStatus()
                        .getIntValue())
                .isEqualTo(6);
    }
}
