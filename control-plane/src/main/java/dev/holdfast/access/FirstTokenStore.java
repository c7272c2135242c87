package dev.holdfast.access;

import dev.holdfast.config.DataFolderStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/// The first API token, for scripts that set an installation up before anybody has signed in: written to
/// `secrets/first-token` (mode 0600) when the configuration asks for it, and journalled.
public final class FirstTokenStore {
    private static final String NAME = "first-token";
    private static final Duration LIFETIME = Duration.ofDays(30);

    private FirstTokenStore() {}

    /// Makes the token unless the file holds one that is still good.
    public static void ensure(Access access, DataFolderStore folder) throws IOException {
        byte[] known = folder.readSecret(NAME);
        if (known != null
                && access.tokens()
                        .prove(new String(known, StandardCharsets.US_ASCII).strip())
                        .isPresent()) {
            return;
        }
        String secret = access.tokens().createFirst(LIFETIME).secret();
        folder.writeSecret(NAME, (secret + "\n").getBytes(StandardCharsets.US_ASCII));
    }
}
