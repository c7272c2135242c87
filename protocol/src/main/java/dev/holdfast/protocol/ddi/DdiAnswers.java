package dev.holdfast.protocol.ddi;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What the server answers to devices.
///
/// Ids are decimal integers and one action is offered at a time, which is what SWUpdate's client expects.
public final class DdiAnswers {
    private DdiAnswers() {}

    /// @param md5 and sha1 because clients compare them (SWUpdate the SHA-1); authenticity comes from the signature
    /// inside
    public record File(String name, long size, String sha256, String sha1, String md5, String href) {}

    /// The answer to a poll.
    ///
    /// @param sleep until the next poll, whole seconds, less than a day
    public static byte[] poll(
            Duration sleep, Optional<String> configData, Optional<String> deploymentBase, Optional<String> cancel) {
        ObjectNode root = DdiText.JSON.createObjectNode();
        root.putObject("config").putObject("polling").put("sleep", sleep(sleep));
        ObjectNode links = root.putObject("_links");
        configData.ifPresent(href -> links.putObject("configData").put("href", href));
        deploymentBase.ifPresent(href -> links.putObject("deploymentBase").put("href", href));
        cancel.ifPresent(href -> links.putObject("cancelAction").put("href", href));
        return bytes(root);
    }

    /// The particulars of an update.
    public static byte[] deployment(long action, String name, String version, List<File> files) {
        ObjectNode root = DdiText.JSON.createObjectNode();
        root.put("id", Long.toString(action));
        ObjectNode deployment = root.putObject("deployment");
        deployment.put("download", "forced");
        deployment.put("update", "forced");
        ObjectNode chunk = deployment.putArray("chunks").addObject();
        chunk.put("part", "os");
        chunk.put("name", name);
        chunk.put("version", version);
        ArrayNode artifacts = chunk.putArray("artifacts");
        for (File file : files) {
            ObjectNode artifact = artifacts.addObject();
            artifact.put("filename", file.name());
            artifact.put("size", file.size());
            artifact.putObject("hashes")
                    .put("sha1", file.sha1())
                    .put("md5", file.md5())
                    .put("sha256", file.sha256());
            artifact.putObject("_links").putObject("download").put("href", file.href());
        }
        return bytes(root);
    }

    /// Asks the device to forget an action; the cancellation has the id of the action it stops.
    public static byte[] cancellation(long action) {
        ObjectNode root = DdiText.JSON.createObjectNode();
        root.put("id", Long.toString(action));
        root.putObject("cancelAction").put("stopId", Long.toString(action));
        return bytes(root);
    }

    /// `HH:MM:SS`
    static String sleep(Duration sleep) {
        long seconds = Math.clamp(sleep.toSeconds(), 1, 86_399);
        return String.format(Locale.ROOT, "%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }

    private static byte[] bytes(ObjectNode root) {
        try {
            return DdiText.JSON.writeValueAsBytes(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree that can't be written", e);
        }
    }
}
