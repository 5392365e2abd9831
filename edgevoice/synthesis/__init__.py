"""From clauses to sound: synthesis, silence trimming and timing."""
