package dev.holdfast.protocol.swu;

import dev.holdfast.protocol.swu.SwuException.Reason;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.operator.OperatorCreationException;

/// A `.swu` whose `sw-description` is signed by a trusted certificate and whose members are those that it
/// names:
/// there is no other way to get one.
///
/// @param version of the software
/// @param hardware all revisions that any of its selections is compatible with
/// @param signer the trusted certificate
public record SignedImage(String version, List<String> hardware, X509Certificate signer) {
    private static final int MOST_DESCRIPTION = 1 << 20;
    private static final int MOST_SIGNATURE = 1 << 16;
    private static final Set<String> DIGESTS = Set.of(
            NISTObjectIdentifiers.id_sha256.getId(),
            NISTObjectIdentifiers.id_sha384.getId(),
            NISTObjectIdentifiers.id_sha512.getId());

    /// 1. The first member is `sw-description`, the second `sw-description.sig`, as SWUpdate demands.
    /// 2. The signature is CMS SignedData (RFC 5652 section 5), detached, by one of the trusted certificates.
    /// 3. Only then the description is parsed: version, hardware, and the SHA-256 of each image.
    /// 4. Each image it names is in the archive with that digest, and nothing else is.
    ///
    /// @param swu read to its end
    public static SignedImage read(InputStream swu, Collection<X509Certificate> trusted)
            throws SwuException, IOException {
        CpioReader archive = new CpioReader(new BufferedInputStream(swu, 1 << 16));
        byte[] description = member(archive, "sw-description", MOST_DESCRIPTION);
        byte[] signature = member(archive, "sw-description.sig", MOST_SIGNATURE);
        X509Certificate signer = verify(description, signature, trusted);

        Map<String, Object> root = Libconfig.parse(new String(description, StandardCharsets.UTF_8));
        if (!(root.get("software") instanceof Map<?, ?> software)
                || !(software.get("version") instanceof String version)) {
            throw malformed("sw-description has no software.version");
        }
        Set<String> hardware = new TreeSet<>();
        Map<String, String> digests = new HashMap<>();
        collect(software, hardware, digests);
        compare(archive, digests);
        return new SignedImage(version, List.copyOf(hardware), signer);
    }

    private static byte[] member(CpioReader archive, String name, int most) throws SwuException, IOException {
        if (!archive.next().map(CpioReader.Member::name).equals(Optional.of(name))) {
            throw malformed(name + " is not where it should be");
        }
        return archive.content(most);
    }

    private static X509Certificate verify(byte[] content, byte[] signature, Collection<X509Certificate> trusted)
            throws SwuException {
        try {
            CMSSignedData cms = new CMSSignedData(new CMSProcessableByteArray(content), signature);
            for (SignerInformation signer : cms.getSignerInfos()) {
                for (X509Certificate certificate : trusted) {
                    if (signer.getSID().match(new JcaX509CertificateHolder(certificate))
                            && DIGESTS.contains(signer.getDigestAlgOID())
                            && signer.verify(new JcaSimpleSignerInfoVerifierBuilder().build(certificate))) {
                        return certificate;
                    }
                }
            }
        } catch (CMSException
                | OperatorCreationException
                | java.security.cert.CertificateException
                | RuntimeException e) {
            throw new SwuException(
                    Reason.NOT_SIGNED_BY_A_TRUSTED_CERTIFICATE, "sw-description.sig is no CMS signature that holds");
        }
        throw new SwuException(
                Reason.NOT_SIGNED_BY_A_TRUSTED_CERTIFICATE,
                "sw-description.sig is not by one of the " + trusted.size() + " trusted certificates");
    }

    private static void collect(Map<?, ?> group, Set<String> hardware, Map<String, String> digests)
            throws SwuException {
        if (group.get("hardware-compatibility") instanceof List<?> revisions) {
            for (Object revision : revisions) {
                hardware.add(String.valueOf(revision));
            }
        }
        if (group.get("filename") instanceof String file) {
            if (!(group.get("sha256") instanceof String sha256)) {
                throw malformed(file + " is named without sha256");
            }
            digests.put(file, sha256);
        }
        for (Object value : group.values()) {
            descend(value, hardware, digests);
        }
    }

    private static void descend(Object value, Set<String> hardware, Map<String, String> digests) throws SwuException {
        switch (value) {
            case Map<?, ?> inner -> collect(inner, hardware, digests);
            case List<?> list -> {
                for (Object element : list) {
                    descend(element, hardware, digests);
                }
            }
            case Object _ -> {}
        }
    }

    private static void compare(CpioReader archive, Map<String, String> digests) throws SwuException, IOException {
        List<String> missing = new ArrayList<>(digests.keySet());
        byte[] buffer = new byte[1 << 16];
        for (Optional<CpioReader.Member> member; (member = archive.next()).isPresent(); ) {
            String name = member.get().name();
            String expected = digests.get(name);
            if (expected == null) {
                throw new SwuException(Reason.IMAGE_DIFFERS, "it holds a member that sw-description does not name");
            }
            MessageDigest sha = sha256();
            for (int read; (read = archive.read(buffer)) >= 0; ) {
                sha.update(buffer, 0, read);
            }
            if (!HexFormat.of().formatHex(sha.digest()).equalsIgnoreCase(expected)) {
                throw new SwuException(Reason.IMAGE_DIFFERS, "an image is not the one that sw-description signs");
            }
            missing.remove(name);
        }
        if (!missing.isEmpty()) {
            throw new SwuException(Reason.IMAGE_MISSING, "it lacks an image that sw-description names");
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is missing from this Java platform", e);
        }
    }

    private static SwuException malformed(String detail) {
        return new SwuException(Reason.MALFORMED, detail);
    }
}
