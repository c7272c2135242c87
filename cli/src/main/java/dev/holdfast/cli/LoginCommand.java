package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.Console;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Remembers a server and a token in a file of mode 0600.
@Command(
        name = "login",
        mixinStandardHelpOptions = true,
        description =
                "Remembers a server and an API token (made in the console under Operators, or the server's first token).")
final class LoginCommand implements Runnable {
    @Option(names = "--url", paramLabel = "URL", description = "The operator plane.")
    private String url = "http://localhost:8080";

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            description = "Read the token from a file; asked for without it.")
    private @Nullable Path tokenFile;

    @Override
    public void run() {
        String token = token();
        JsonNode me = new ApiClient(url, token, null).get("/me");
        if (!me.path("signedIn").asBoolean()) {
            throw new ApiException(4, "the server does not know this token");
        }
        ObjectNode saved = ApiClient.object().put("url", url).put("token", token);
        try {
            Path file = ServerOptions.file();
            Files.createDirectories(file.getParent());
            Path fresh = Files.createTempFile(
                    file.getParent(),
                    "cli",
                    ".new",
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(fresh, new YAMLMapper().writeValueAsString(saved));
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            System.out.println("Signed in to " + url + " as " + Printer.plain(me.path("name")) + "; kept in " + file);
        } catch (IOException e) {
            throw new ApiException(1, "can't keep the token: " + e.getMessage());
        }
    }

    private String token() {
        if (tokenFile != null) {
            return InputFile.text(tokenFile).strip();
        }
        Console console = System.console();
        char[] typed = console != null && console.isTerminal() ? console.readPassword("Token: ") : null;
        if (typed == null) {
            throw new ApiException(2, "no terminal to ask for the token on; give --token-file");
        }
        return new String(typed).strip();
    }
}
