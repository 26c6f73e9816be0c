"""What people and other programs read: delta_output JSON, the printed summary, MLflow."""
