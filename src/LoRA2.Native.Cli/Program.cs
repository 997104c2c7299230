Console.WriteLine("lora2");
return 0;
