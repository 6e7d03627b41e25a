import java.util.StringTokenizer;
import org.apache.spark.api.java.JavaSparkContext;
import scala.Tuple2;

/** The same of a text so small that only the start counts: RDDs start sooner than data sets. */
class WordCountCold {
    static void run(JavaSparkContext spark, String[] args) {
        Lines.save(
            Lines.read(spark, args[0])
                .flatMap(line -> new StringTokenizer(line).asIterator())
                .mapToPair(word -> new Tuple2<>((String) word, 1L))
                .reduceByKey(Long::sum)
                .map(pair -> pair._1 + "\t" + pair._2),
            args[1]);
    }
}
