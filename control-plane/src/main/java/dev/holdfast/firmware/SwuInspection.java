package dev.holdfast.firmware;

import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.protocol.swu.SignedImage;
import dev.holdfast.protocol.swu.SwuException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.cert.X509Certificate;
import java.util.List;

/// What an uploaded `.swu` turned out to be.
sealed interface SwuInspection {
    record Good(FirmwareVersion version, List<String> hardware, String signedBy) implements SwuInspection {}

    record Bad(Registered.Reason reason, String detail) implements SwuInspection {}

    static SwuInspection of(InputStream swu, List<SigningKey> trusted) {
        List<X509Certificate> certificates =
                trusted.stream().map(key -> TrustAnchors.certificate(key.pem())).toList();
        try {
            SignedImage image = SignedImage.read(swu, certificates);
            return new Good(new FirmwareVersion(image.version()), image.hardware(), TrustAnchors.id(image.signer()));
        } catch (SwuException e) {
            return new Bad(
                    switch (e.reason()) {
                        case MALFORMED -> Registered.Reason.NOT_A_SWU;
                        case NOT_SIGNED_BY_A_TRUSTED_CERTIFICATE -> Registered.Reason.SIGNATURE_NOT_VALID;
                        case IMAGE_MISSING -> Registered.Reason.ARTIFACT_MISSING;
                        case IMAGE_DIFFERS -> Registered.Reason.ARTIFACT_DIFFERS;
                    },
                    String.valueOf(e.getMessage()));
        } catch (IllegalArgumentException e) {
            return new Bad(Registered.Reason.NOT_A_SWU, "its version is " + e.getMessage());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
