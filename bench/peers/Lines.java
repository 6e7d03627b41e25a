import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import org.apache.hadoop.io.LongWritable;
import org.apache.hadoop.io.NullWritable;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.mapred.TextInputFormat;
import org.apache.hadoop.mapred.TextOutputFormat;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import scala.Tuple2;

/**
 * Lines of text, whose bytes are one character each: whatever they are, they come out as they were. That also takes
 * less time than to read UTF-8.
 */
class Lines {
    static JavaRDD<String> read(JavaSparkContext spark, String path) {
        return spark.hadoopFile(path, TextInputFormat.class, LongWritable.class, Text.class)
            .map(pair -> new String(pair._2.getBytes(), 0, pair._2.getLength(), StandardCharsets.ISO_8859_1));
    }

    /** One object for all lines of a partition. */
    private static Iterator<Tuple2<NullWritable, Text>> texts(Iterator<String> lines) {
        Text text = new Text();
        Tuple2<NullWritable, Text> pair = new Tuple2<>(NullWritable.get(), text);

        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return lines.hasNext();
            }

            @Override
            public Tuple2<NullWritable, Text> next() {
                text.set(lines.next().getBytes(StandardCharsets.ISO_8859_1));
                return pair;
            }
        };
    }

    static void save(JavaRDD<String> lines, String path) {
        lines.mapPartitionsToPair(Lines::texts)
            .saveAsHadoopFile(path, NullWritable.class, Text.class, TextOutputFormat.class);
    }
}
