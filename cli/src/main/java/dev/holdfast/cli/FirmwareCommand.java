package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.protocol.manifest.Manifest;
import dev.holdfast.protocol.manifest.SignedManifest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Firmware: whose signatures count, the files, the releases. Signing happens here, beside the private key, never on
/// the server.
@Command(
        name = "firmware",
        mixinStandardHelpOptions = true,
        description = "Signs, uploads and releases firmware.",
        synopsisSubcommandLabel = "COMMAND")
final class FirmwareCommand {
    private static final Table KEY = Table.of("id", "", "Key=id", "Name=name", "Algorithm=algorithm");
    private static final Table KEYS = Table.of(
            "id",
            "No signing keys. Trust one: holdfast firmware trust key.pem --name NAME",
            "ID=id",
            "NAME=name",
            "ALGORITHM=algorithm",
            "ADDED=addedAt~");
    private static final Table LIST = Table.of(
            "id",
            "No releases. Make one: holdfast firmware sign ..., then holdfast firmware release ...",
            "ID=id",
            "MODEL=model",
            "VERSION=version",
            "STATE=state",
            "COUNTER=securityCounter",
            "FORMAT=format",
            "SIGNED BY=signedBy",
            "MADE=createdAt~");
    private static final Table CARD = Table.of(
            "id",
            "",
            "Release=id",
            "Model=model",
            "Version=version",
            "State=state",
            "Because=stateReason",
            "Hardware=hardware",
            "Counter=securityCounter",
            "Irreversible=irreversible",
            "Signed by=signedBy",
            "Made by=createdBy",
            "Notes=notes");

    @Command(
            name = "trust",
            mixinStandardHelpOptions = true,
            description = "Trusts a public key or certificate for releases.")
    void trust(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "PEM", description = "PUBLIC KEY (manifests) or CERTIFICATE (SWUpdate).") Path pem,
            @Option(names = "--name", required = true) String name) {
        JsonNode key = server.client()
                .post("/signing-keys", ApiClient.object().put("name", name).put("pem", read(pem)));
        server.printer().one(key, KEY);
    }

    @Command(name = "keys", mixinStandardHelpOptions = true, description = "Lists the keys whose signatures count.")
    void keys(@Mixin ServerOptions server) {
        server.printer()
                .rows(ApiClient.rows(server.client().get("/signing-keys").path("keys")), KEYS);
    }

    @Command(
            name = "sign",
            description = "Signs a manifest for an image with a local P-256 key and writes the DSSE envelope.")
    void sign(
            @Option(
                            names = {"-h", "--help"},
                            usageHelp = true,
                            description = "Shows this help.")
                    boolean help,
            @Parameters(paramLabel = "IMAGE") Path image,
            @Option(names = "--model", required = true) String model,
            @Option(names = "--hardware", required = true, split = ",") List<String> hardware,
            @Option(names = "--version", required = true, paramLabel = "VERSION") String version,
            @Option(names = "--counter", required = true, description = "The security counter.") long counter,
            @Option(names = "--key", required = true, description = "Private key, PKCS#8 PEM.") Path key,
            @Option(names = "--public-key", required = true, description = "Its public key, PEM.") Path publicKey,
            @Option(names = "--out", required = true, description = "Where the envelope goes.") Path out) {
        try {
            Manifest manifest = new Manifest(
                    model,
                    hardware,
                    version,
                    counter,
                    new Manifest.Image(image.getFileName().toString(), Files.size(image), sha256(image)));
            Files.write(out, SignedManifest.sign(manifest, privateKey(key), publicKey(publicKey)));
            System.out.println("Signed " + image.getFileName() + " as " + model + " " + version + " in " + out);
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new ApiException(1, "signing failed: " + e.getMessage());
        }
    }

    @Command(
            name = "release",
            description = "Uploads an image and makes a release of it; the server verifies the signature.")
    void release(
            @Option(
                            names = {"-h", "--help"},
                            usageHelp = true,
                            description = "Shows this help.")
                    boolean help,
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "IMAGE", description = "The image, or a signed .swu") Path image,
            @Option(names = "--model", required = true) String model,
            @Option(names = "--version", required = true, paramLabel = "VERSION") String version,
            @Option(names = "--manifest", description = "The DSSE envelope made by 'firmware sign'.") @Nullable
                    Path manifest,
            @Option(names = "--hardware", description = "For a .swu.") @Nullable String hardware,
            @Option(names = "--counter", description = "For a .swu.") @Nullable Long counter,
            @Option(names = "--irreversible", description = "Devices can't go back; a second person must approve.")
                    boolean irreversible,
            @Option(names = "--notes", defaultValue = "", description = "What changes, for people.") String notes) {
        ApiClient client = server.client();
        try {
            String digest = sha256(image);
            client.upload(
                    "/artifacts",
                    Map.of("name", image.getFileName().toString(), "sha256", digest),
                    "application/octet-stream",
                    image);
            ObjectNode release = ApiClient.object()
                    .put("artifact", digest)
                    .put("model", model)
                    .put("version", version);
            if (manifest != null) {
                release.set("manifest", ApiClient.JSON.readTree(Files.readAllBytes(manifest)));
            }
            if (hardware != null) {
                release.put("hardware", hardware);
            }
            if (irreversible) {
                release.put("irreversible", true);
            }
            if (!notes.isEmpty()) {
                release.put("notes", notes);
            }
            if (counter != null) {
                release.put("securityCounter", counter);
            }
            print(server, client.post("/releases", release));
        } catch (IOException e) {
            throw new ApiException(1, "can't read: " + e.getMessage());
        }
    }

    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists releases, newest first.")
    void list(@Mixin ServerOptions server) {
        server.list("/releases", Map.of(), "releases", 200, LIST);
    }

    @Command(name = "show", mixinStandardHelpOptions = true, description = "Shows one release.")
    void show(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id) {
        print(server, server.client().get(path(id)));
    }

    @Command(
            name = "approve",
            mixinStandardHelpOptions = true,
            description = "Agrees, as a second person, to a release that devices can't go back from.")
    void approve(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        print(server, server.client().post(path(id) + "/approve", because.body()));
    }

    @Command(name = "withdraw", mixinStandardHelpOptions = true, description = "Takes a release out of use for good.")
    void withdraw(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        print(server, server.client().post(path(id) + "/withdraw", because.body()));
    }

    @Command(
            name = "reinstate",
            mixinStandardHelpOptions = true,
            description = "Takes back the halt that a failed gate put on a release.")
    void reinstate(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        print(server, server.client().post(path(id) + "/reinstate", because.body()));
    }

    private static String path(String id) {
        return "/releases/" + ApiClient.encode(id);
    }

    private static void print(ServerOptions server, JsonNode release) {
        server.printer().one(release, CARD);
    }

    private static String read(Path file) {
        return InputFile.toSend(file);
    }

    private static String sha256(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            new DigestInputStream(in, digest).transferTo(java.io.OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(digest.digest());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static PrivateKey privateKey(Path pem) throws IOException, GeneralSecurityException {
        return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der(pem, "PRIVATE KEY")));
    }

    private static PublicKey publicKey(Path pem) throws IOException, GeneralSecurityException {
        return KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(der(pem, "PUBLIC KEY")));
    }

    private static byte[] der(Path pem, String type) throws IOException {
        String text = Files.readString(pem, StandardCharsets.US_ASCII);
        String begin = "-----BEGIN " + type + "-----";
        int from = text.indexOf(begin);
        int to = text.indexOf("-----END " + type + "-----");
        if (from < 0 || to < 0) {
            throw new IllegalArgumentException(pem + " holds no " + type
                    + " (make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256)");
        }
        return Base64.getMimeDecoder().decode(text.substring(from + begin.length(), to));
    }
}
