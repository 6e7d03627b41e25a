"""Spark's side: bench/spark on Spark's local mode."""
import shutil
import subprocess

from measuring.run import ROOT, Run


def jar(o, tmp):
    """bench/spark compiled; None without Spark."""
    if o.spark is None:
        return None
    made = tmp / "spark.jar"
    if not made.exists():
        subprocess.run(["javac", "-cp", o.spark / "jars/*", "-d", tmp / "classes",
                        *sorted((ROOT / "bench/spark").glob("*.java"))], check=True)
        subprocess.run(["jar", "cf", made, "-C", tmp / "classes", "."], check=True)
    return made


def submit(o, tmp, name, *args, master=None):
    return Run(o.spark / "bin/spark-submit", "--master", master or f"local[{o.slots}]", "--driver-memory", "4g", "--conf",
               "spark.ui.enabled=false", "--class", name, jar(o, tmp), *args)


def word_count(o, tmp, text):
    shutil.rmtree(tmp / "spark-out", ignore_errors=True)
    return submit(o, tmp, "WordCount", text, tmp / "spark-out")
