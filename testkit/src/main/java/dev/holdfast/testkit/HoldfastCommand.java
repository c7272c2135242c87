package dev.holdfast.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/// `holdfast` as pages write it, for a test whose class path holds the server and the command line: the ceremony in
/// a network namespace of its own, where there is no network; the rest against one server, with its first token.
public final class HoldfastCommand {
    private HoldfastCommand() {}

    /// @param url of the operator plane
    /// @param tokenFile `secrets/first-token` of its data folder
    /// @return the folder to be put on the `PATH`
    public static Path write(Path folder, String url, Path tokenFile) throws IOException {
        Path script = Files.writeString(Files.createDirectories(folder).resolve("holdfast"), """
                #!/bin/sh
                java="%s/bin/java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED -cp %s"
                case $1 in
                  ceremony) exec unshare -n $java dev.holdfast.Main "$@" ;;
                  *) exec $java dev.holdfast.cli.Cli "$@" --url %s --token-file %s ;;
                esac
                """.formatted(
                        System.getProperty("java.home"), System.getProperty("java.class.path"), url, tokenFile));
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
        return folder;
    }
}
